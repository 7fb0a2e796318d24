Feature: Administrators get in, by key alone

  Scenario: sshd is as we want it
    Then the service "ssh" is running
    And port 22 is listening
    And the package "openssh-server" is installed
    And the file "/etc/ssh/sshd_config" is owned by "root"

  @warning
  Scenario: there is room for logs
    Then the disk of "/var/log" is less than 95 % full, warning 80 %
