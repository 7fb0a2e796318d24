# A certificate and its key are what a server should show: valid for a while, its own, well signed, nobody else's to read.
# Where they are are parameters of the stack file:
#   parameters:
#     tls_certificate: {type: string, default: /etc/ssl/certs/shop.pem}
#     tls_key: {type: string, default: /etc/ssl/private/shop.key}
#   infratest check @tls
# Each sentence has been seen red: `infratest mutate @tls`. What a server offers to clients is not looked at here.
Feature: The certificate and its key are in order

  Scenario: it is valid for a while
    # With those of the authorities between that stand in it: a chain ends with the first of them.
    Then the certificate file "{param.tls_certificate}" has every certificate valid for at least 14 days, warning 21 days

  Scenario: somebody else vouches for it
    Then the certificate file "{param.tls_certificate}" is not self-signed
    And the certificate file "{param.tls_certificate}" is not a CA

  Scenario: it is well signed
    # As those of the authorities between are, by RSA (RSASSA-PSS too), ECDSA and DSA: openssl has names as
    # sha1WithRSAEncryption, rsassaPss with sha1, ecdsa-with-SHA1, dsaWithSHA1.
    Then the certificate file "{param.tls_certificate}" relies on no signature by "*sha1*"
    And the certificate file "{param.tls_certificate}" relies on no signature by "*md[245]*"

  Scenario: its key is long enough
    # As those of the authorities are. Keys of other kinds are as strong with fewer bits.
    Then the certificate file "{param.tls_certificate}" has no RSA key shorter than 2048 bits

  Scenario: the key is its own, and nobody else's to read
    Then the private key file "{param.tls_key}" belongs to the certificate file "{param.tls_certificate}"
    And the file "{param.tls_key}" is owned by "root"
    And the file "{param.tls_key}" belongs to one of the groups "root, ssl-cert"
    And the file "{param.tls_key}" has at most mode "0640"

  Scenario: the certificate is nobody else's to change
    Then the file "{param.tls_certificate}" is owned by "root"
    And the file "{param.tls_certificate}" has at most mode "0644"
