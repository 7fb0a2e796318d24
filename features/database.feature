# PostgreSQL runs, as itself, with room for its data, which is nobody else's. On hosts without it, it is skipped.
#   infratest check --host db @database
# Each sentence has been seen red: `infratest mutate @database`. Nobody logs in to it: what it answers says a sentence
# with your login, as: the database "postgresql://..." answers.
Feature: The database server is in order

  Background:
    Given where the directory "/etc/postgresql" exists

  Scenario: it runs, and will after a boot
    Then the service "postgresql" is running
    And the service "postgresql" is enabled
    And the process "postgres" is running
    And port 5432 is listening

  Scenario: it is nobody else
    Then the process "postgres" runs as "postgres"
    And the user "postgres" is a system user
    And the user "postgres" is in the group "postgres"
    And the user "postgres" is not in the group "root"

  Scenario: its data have room
    Then the disk of "/var/lib/postgresql" is less than 90 % full, warning 80 %

  Scenario: its data and its configuration are its own
    Then the directory "/var/lib/postgresql" is owned by "postgres"
    And the directory "/var/lib/postgresql" has at most mode "0755"
    And the directory "/etc/postgresql" with all in it is owned by one of "postgres, root"
    And the directory "/etc/postgresql" with all in it has at most mode "0755"
