# nginx serves, as itself and no more than it must. On hosts without nginx it is skipped.
#   infratest check --host web-1 @web-server
# Each sentence has been seen red: `infratest mutate @web-server`. Answers are asked for on the host itself, at port 80.
Feature: The web server is in order

  Background:
    Given where the file "/usr/sbin/nginx" exists

  Scenario: it runs, and will after a boot
    Then the service "nginx" is running
    And the service "nginx" is enabled
    And the process "nginx" is running

  Scenario: its configuration is whole, and root's
    Then the configuration of "nginx" is valid
    And the directory "/etc/nginx" with all in it is owned by "root"
    And the directory "/etc/nginx" with all in it has at most mode "0755"

  Scenario: it answers
    Then port 80 is listening
    And "http://127.0.0.1/" answers from the host

  Scenario: it does not tell its version
    Then "http://127.0.0.1/" has the header "Server" not matching "[0-9]" from the host
    And "http://127.0.0.1/" does not have the header "X-Powered-By" from the host

  Scenario: its logs are no business of others
    Then the directory "/var/log/nginx" exists
    And the directory "/var/log/nginx" with all in it is owned by one of "root, www-data"
    And the directory "/var/log/nginx" has at most mode "0755"
    And the files in "/var/log/nginx" have at most mode "0640"
