@web
Feature: The web host serves its page

  Scenario: nginx is there
    Then the package "nginx-light" is installed
    And the service "nginx" is running

  Scenario: nginx answers
    Then "http://{host.address}/" answers 200 in less than 1 s
    And "http://{host.address}/" contains "{param.greeting}"
