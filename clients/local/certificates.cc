#include "clients/local/certificates.h"

#include <fstream>
#include <vector>

#include "absl/status/status.h"
#include "clients/local/process.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients::local {
namespace {

absl::Status Run(const std::vector<std::string>& command, const std::string& output) {
  KV_ASSIGN_OR_RETURN(Process process, Process::Start(command, output));
  if (process.Wait() == 0) return absl::OkStatus();
  return absl::InternalError(fmt::format("openssl {} failed: {}", command[1], ReadFile(output)));
}

}  // namespace

absl::StatusOr<Certificates> MakeCertificates(const std::string& directory,
                                              const std::string& names) {
  const std::string log = directory + "/openssl.log";
  const std::string request = directory + "/server.csr";
  const std::string extensions = directory + "/server.ext";
  const std::string authority_key = directory + "/ca.key";
  const Certificates made{directory + "/ca.crt", directory + "/server.crt",
                          directory + "/server.key"};
  const std::vector<std::string> new_key = {
      "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout"};
  const auto with_key = [&](std::vector<std::string> command, const std::string& key,
                            const std::vector<std::string>& rest) {
    command.insert(command.end(), new_key.begin(), new_key.end());
    command.push_back(key);
    command.insert(command.end(), rest.begin(), rest.end());
    return command;
  };
  std::ofstream(extensions) << "subjectAltName=" << names << "\n";
  KV_RETURN_IF_ERROR(Run(with_key({"openssl", "req", "-x509"}, authority_key,
                                  {"-subj", "/CN=Authority", "-days", "2", "-out", made.authority}),
                         log));
  KV_RETURN_IF_ERROR(
      Run(with_key({"openssl", "req", "-new"}, made.key, {"-subj", "/CN=Server", "-out", request}),
          log));
  KV_RETURN_IF_ERROR(Run(
      {"openssl", "x509", "-req", "-in", request, "-CA", made.authority, "-CAkey", authority_key,
       "-CAcreateserial", "-extfile", extensions, "-days", "2", "-out", made.certificate},
      log));
  return made;
}

}  // namespace clients::local
