# What holds on every host that infratest has made from an image of its own and that has just come up:
#   infratest test @self-made-host
# Our own acceptance test, and the first thing to ask where a made host behaves oddly.
Feature: A host that infratest made is whole

  Scenario: systemd is PID 1 and content
    Then the command "cat /proc/1/comm" prints exactly "systemd"
    And the command "systemctl is-system-running" prints exactly "running" within 30 s
    And the command "systemctl list-units --failed --no-legend --plain" prints exactly ""

  Scenario: it lets its owner in, by key alone
    Then the service "ssh" is running
    And the service "ssh" is enabled
    And port 22 is listening
    And the command "sshd -T" as root prints "passwordauthentication no"

  Scenario: it has the name it was given, and others know it by that
    Then the command "hostname" prints exactly "{host.name}"
    And the command "getent ahostsv4 {host.name}" prints "{host.address}"

  Scenario: its host key is its own, and whole
    Then the file "/etc/ssh/ssh_host_ed25519_key" is owned by "root"
    And the file "/etc/ssh/ssh_host_ed25519_key" has mode "0600"
    And the file "/etc/ssh/ssh_host_rsa_key" does not exist
    And the file "/etc/ssh/ssh_host_ecdsa_key" does not exist

  Scenario: nothing listens but what must
    Then port 80 is not listening
    And port 5432 is not listening
    And the package "nginx-light" is not installed
