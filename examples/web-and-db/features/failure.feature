# These change something, so that they run as a test alone: `infratest check` leaves out what is tagged @test.
@test
Feature: One web host may fail

  Scenario: the other one goes on
    Given the hosts in group "web"
    When the service "nginx" is stopped on "web-1"
    Then "http://{host.web-1.address}/" does not answer
    And "http://{host.web-2.address}/" answers 200

  Scenario: and all is well again after it
    Given the hosts in group "web"
    When the command "true" is run
    Then port 80 is listening
