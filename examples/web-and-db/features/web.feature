@web
Feature: The web tier serves the page

  Background:
    Given the hosts in group "web"

  Scenario: nginx is there
    Then the package "nginx-light" is installed
    And the service "nginx" is running
    And the service "nginx" is enabled
    And port 80 is listening

  Scenario: the page is the store's
    Then "http://{host.address}/" answers 200 in less than 2 s, warning 1 s
    And "http://{host.address}/" contains "visitors: {param.visitors}"

  Scenario: at least one answers
    Then port 80 is listening on at least 1 host
