# Disks have room, may be written, and are all there. Asked as root, who may look at each file system:
#   infratest check --host web-1 @disk-health
# Each sentence has been seen red: `infratest mutate @disk-health`. Which disks you have only you know; to add:
#   Then the disk "/dev/sda" passes SMART
#   And the disk "/" is full in more than 7 days, warning 14 days
Feature: The disks are well

  Scenario: there is room in all of them
    Then the fullest file system is less than 95 % full, warning 90 %
    And the fullest file system uses less than 95 % of its inodes, warning 90 %

  Scenario: they may be written
    # The kernel leaves one read-only that it found broken (errors=remount-ro).
    Then no disk is mounted read-only

  Scenario: they are all there
    # Some images have an fstab with no entry, of which there is nothing to be said.
    Given where the file "/etc/fstab" has a line matching "^\s*[^#\s]"
    Then every fstab entry is mounted

  Scenario: what is mounted at boot is root's to say
    Then the file "/etc/fstab" is owned by "root"
    And the file "/etc/fstab" has at most mode "0664"
