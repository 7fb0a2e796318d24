# True of any sane Linux host, as root or as an unprivileged user:
#   infratest check --host local @linux-baseline
# In a stack file: `features: [features, "@linux-baseline"]`. Its limits are wide: it tells a host that is in trouble
# from one that is not, and does not know yours. Nothing in it changes anything.
Feature: A Linux host is in order

  Scenario: the disks have room
    Then the disk of "/" is less than 95 % full, warning 90 %
    And the disk of "/var" is less than 95 % full, warning 90 %
    And the disk of "/tmp" is less than 95 % full, warning 90 %

  Scenario: there is memory to be had
    Then the memory is less than 95 % used, warning 90 %

  @warning
  Scenario: the processors keep up
    # Over 15 minutes: a burst is no trouble yet, and must wake nobody. 20 that wait for each is far behind.
    Then the load per processor over 15 min is less than 20

  Scenario: the accounts are nobody else's to change
    Then the file "/etc/passwd" is owned by "root"
    And the file "/etc/passwd" has mode "0644"
    And the file "/etc/group" is owned by "root"
    And the file "/etc/group" has mode "0644"

  Scenario: the password hashes are for root alone
    Then the file "/etc/shadow" exists
    And the file "/etc/shadow" is owned by "root"
    # 0000, 0400, 0600 and 0640 are what distributions choose.
    And the file "/etc/shadow" has at most mode "0640"
    And the file "/etc/shadow" belongs to one of the groups "root, shadow"

  Scenario: root is root
    Then the user "root" has uid 0
    And the group "root" has gid 0
    And the user "root" is in the group "root"

  Scenario: the temporary folders are shared safely
    Then the directory "/tmp" is owned by "root"
    And the directory "/tmp" has mode "1777"
    And the directory "/var/tmp" is owned by "root"
    And the directory "/var/tmp" has mode "1777"

  Scenario: the kernel shows itself
    # That /proc is there needs no sentence: without it no question is answered, and all is unknown.
    Then the mount "/sys" is of type "sysfs"
    And the file "/dev/null" has mode "0666"
