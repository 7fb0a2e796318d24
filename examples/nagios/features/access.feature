Feature: Access

  @runbook:https://wiki.example/ssh
  Scenario: administrators get in
    Then the service "ssh" is running
    And port 22 is listening

  Scenario: no web server here
    Then port 80 is not listening
