Feature: Each web host serves its page

  Scenario: nginx is there
    Then the package "nginx-light" is installed
    And the service "nginx" is running
    And the service "nginx" is enabled
    And port 80 is listening

  Scenario: the page is its own
    Then "http://{host.address}/" answers 200 within 10 s
    And "http://{host.address}/" contains "this is {host.name}"
