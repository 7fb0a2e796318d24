# PostgreSQL runs, as itself, with room for its data, which is nobody else's. On hosts without it, it is skipped.
#   infratest check --host db @database
# Each sentence has been seen red: `infratest mutate @database`. Asked as root: whom it lets in says the server at 5432
# itself, to its own account `postgres` by the host's psql, from its pg_hba.conf with all that this includes.
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

  Scenario Outline: nobody gets in <how>
    # From everywhere is a mask of less than 8 bits (IPv4), of less than 4 (IPv6).
    Then the database "postgresql://postgres@/postgres" answers "SELECT * FROM pg_hba_file_rules WHERE <lines>" with exactly 0 rows from the host

    Examples:
      | how                            | lines                                                                                                        |
      | without a proof                | auth_method = 'trust'                                                                                        |
      | by a password in the clear     | type IN ('host', 'hostnossl') AND auth_method IN ('password', 'ldap', 'pam', 'radius', 'bsd')                |
      | from everywhere                | auth_method <> 'reject' AND (address = 'all' OR netmask NOT LIKE '255.%' AND netmask NOT LIKE 'f%')          |
      | by a line that cannot be read  | error IS NOT NULL                                                                                            |

  Scenario: what it was told to read is what stands there
    Then the database "postgresql://postgres@/postgres" answers "SELECT modification FROM pg_stat_file(current_setting('hba_file')) WHERE modification > pg_conf_load_time()" with exactly 0 rows from the host
