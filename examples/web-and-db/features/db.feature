@data
Feature: The store holds what the page shows

  Background:
    Given the host "db"

  Scenario: redis is there
    Then the service "redis-server" is running
    And port 6379 is listening
    And the process "redis-server" uses less than 128 MiB of memory, warning 64 MiB

  Scenario: the web tier reaches it
    Then the command "redis-cli -h {host.db.address} ping" prints exactly "PONG" from every host in "web"
