# Backups are made, hold something, and are nobody else's to read. Where they are is a parameter of the stack file:
#   parameters: {backups: {type: string, default: /var/backups/db}}
#   infratest check @backups
# Each sentence has been seen red: `infratest mutate @backups`.
Feature: Backups are made

  Scenario: the last one is of this day, and holds something
    Then the newest file in "{param.backups}" was changed less than 26 h ago
    And the newest file in "{param.backups}" is more than 0 B in size

  Scenario: there is more than one, and not without end
    Then the directory "{param.backups}" holds between 2 and 400 files

  Scenario: nobody else reads or changes them
    Then the directory "{param.backups}" with all in it is owned by "root"
    And the directory "{param.backups}" belongs to the group "root"
    And the directory "{param.backups}" has at most mode "0750"
    And the directory "{param.backups}" with all in it has at most mode "0755"
