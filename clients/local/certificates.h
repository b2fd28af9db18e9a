// Certificates for a test: an authority of its own and a server's certificate that it has signed,
// made by the openssl command.
//
// Thread safety: pure functions, of a directory each. Complexity: three processes.
#ifndef CLIENTS_LOCAL_CERTIFICATES_H_
#define CLIENTS_LOCAL_CERTIFICATES_H_

#include <string>

#include "absl/status/statusor.h"

namespace clients::local {

// Paths of PEM files.
struct Certificates {
  std::string authority;
  std::string certificate;
  std::string key;
};

// `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1". In force for two days.
absl::StatusOr<Certificates> MakeCertificates(const std::string& directory,
                                              const std::string& names);

}  // namespace clients::local

#endif  // CLIENTS_LOCAL_CERTIFICATES_H_
