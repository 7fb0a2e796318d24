Feature: The shop
  @id:installed @heal:put-back
  Scenario: nginx is installed
    Then the package "nginx" is installed

  @id:enabled @needs:installed @heal:put-back
  Scenario: nginx may be started
    Then the service "nginx" is enabled

  @id:configured @needs:installed @heal:put-back
  Scenario: nginx understands its configuration
    Then the command "nginx -t" as root exits 0

  @id:own-port @heal:free-port
  Scenario: nobody else has its port
    Then the command "sh /usr/local/lib/drill/strangers list" as root prints nothing

  @id:answers @needs:installed @needs:enabled @needs:configured @needs:own-port @heal:restart-nginx
  Scenario: nginx answers
    Then the service "nginx" is running
    And port 80 is listening

  @id:room @heal:clear-cache
  Scenario: there is room
    Then the disk of "/srv/shop" is less than 90 % full

  @id:certified @heal:renew
  Scenario: its certificate holds
    Then the certificate file "/etc/shop/shop.pem" is valid for at least 14 days
