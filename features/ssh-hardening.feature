# An SSH server lets in only whom it must, by what is strong: rules that CIS' benchmarks and dev-sec's ssh-baseline have
# in common, in words of our own. Asked of OpenSSH as root:
#   infratest check --host web-1 @ssh-hardening
# Each sentence has been seen red: `infratest mutate @ssh-hardening`.
Feature: The SSH server is hardened

  Scenario: its configuration is whole
    Then the configuration of "sshd" is valid
    And the file "/etc/ssh/sshd_config" is owned by "root"
    And the file "/etc/ssh/sshd_config" belongs to the group "root"
    And the file "/etc/ssh/sshd_config" has at most mode "0644"
    And the directory "/etc/ssh" with all in it is owned by "root"
    And the directory "/etc/ssh" with all in it has at most mode "0755"

  Scenario: its host key is its own
    Given where the file "/etc/ssh/ssh_host_ed25519_key" exists
    Then the file "/etc/ssh/ssh_host_ed25519_key" is owned by "root"
    And the file "/etc/ssh/ssh_host_ed25519_key" has at most mode "0640"

  Scenario: nobody gets in by a password alone
    # In no Match block either: what one says for some is a value of the option, too. PAM asks for a password as well.
    Then the configuration of "sshd" has "passwordauthentication" equal to "no"
    And the configuration of "sshd" has "kbdinteractiveauthentication" equal to "no"
    And the configuration of "sshd" has "permitemptypasswords" equal to "no"
    And the configuration of "sshd" has "permitrootlogin" not equal to "yes"

  Scenario: no machine is trusted by its name
    Then the configuration of "sshd" has "hostbasedauthentication" equal to "no"
    And the configuration of "sshd" has "ignorerhosts" not equal to "no"

  Scenario: a login takes few tries and little time
    Then the configuration of "sshd" has "maxauthtries" at most 4
    And the configuration of "sshd" has "logingracetime" between 1 and 60
    And the configuration of "sshd" has "maxsessions" at most 10

  Scenario: a dead session ends
    Then the configuration of "sshd" has "clientaliveinterval" between 1 and 900
    And the configuration of "sshd" has "clientalivecountmax" at most 3

  Scenario: a session gives no more than it is for
    Then the configuration of "sshd" has "x11forwarding" equal to "no"
    And the configuration of "sshd" has "gatewayports" equal to "no"
    And the configuration of "sshd" has "permituserenvironment" equal to "no"
    And the configuration of "sshd" has "strictmodes" equal to "yes"

  Scenario: what happens is told
    # sshd -T tells QUIET by its other name.
    Then the configuration of "sshd" has "loglevel" not equal to "SILENT"
    And the configuration of "sshd" has "loglevel" not equal to "FATAL"
    And the configuration of "sshd" has "loglevel" not equal to "ERROR"

  Scenario: what it offers is strong
    Then the SSH server "{host.address}" does not offer the cipher "*-cbc"
    And the SSH server "{host.address}" does not offer the MAC "hmac-sha1"
    And the SSH server "{host.address}" does not offer the MAC "hmac-md5*"
    And the SSH server "{host.address}" does not offer the key exchange "diffie-hellman-group1-sha1"
    And the SSH server "{host.address}" does not offer the key exchange "diffie-hellman-group14-sha1"
