# Faults are undone when their scenario ends, and a host comes back from a reboot. It stops services and reboots: for
# made hosts alone. Our own acceptance test:
#   infratest test @self-acts
@test
Feature: What a scenario breaks is whole again after it

  Scenario: a service is stopped
    When the service "dbus" is stopped
    Then the service "dbus" is not running

  Scenario: and runs again in the next scenario
    When the command "true" is run
    Then the service "dbus" is running

  Scenario: a command leaves its mark
    When the command "touch /run/infratest-mark" is run
    Then the file "/run/infratest-mark" exists
    And the file "/run/infratest-mark" is owned by "root"

  Scenario: a reboot
    When the host is rebooted
    Then the file "/run/infratest-mark" does not exist
    And the service "ssh" is running
    And the command "systemctl is-system-running" prints exactly "running" within 30 s
