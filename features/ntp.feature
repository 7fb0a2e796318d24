# A host's clock is right: chronyd runs, has sources that answer, and follows one. On hosts without chrony it is skipped.
#   infratest check --host web-1 @ntp
# Each sentence has been seen red: `infratest mutate @ntp`. Names of units and files are Debian's.
Feature: The clock is right

  Background:
    Given where the file "/etc/chrony/chrony.conf" exists

  Scenario: it follows others
    Then the clock is synchronised
    And the clock has at least 1 reachable source
    # 10 is what a server says that has lost all others (`local`), and 16 one that has no time.
    And the clock has a stratum of less than 10

  Scenario: it is not off
    Then the clock is less than 100 ms off, warning 50 ms

  Scenario: its daemon runs, and will after a boot
    Then the service "chrony" is running
    And the service "chrony" is enabled
    And the process "chronyd" is running
    And the process "chronyd" runs as "_chrony"

  Scenario: no other sets the clock
    Then the package "systemd-timesyncd" is not installed
    And the package "ntpsec" is not installed
    And the package "openntpd" is not installed

  Scenario: what it follows is root's to choose, and its keys are no business of others
    Then the directory "/etc/chrony" with all in it is owned by "root"
    And the directory "/etc/chrony" with all in it has at most mode "0755"
    And the file "/etc/chrony/chrony.keys" has at most mode "0640"
