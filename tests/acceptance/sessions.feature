Feature: Sessions

  Scenario: ok, what a page is
    When the page "{param.url}/" is opened
    Then the page answers 200
    And the page answers in less than 10 s
    And the session takes less than 10 s
    And the page is at "/"
    And the page is at "{param.url}/"
    And the page is not at "/login"
    And the page contains "<h1>Welcome"
    And the page matches "Welcome to +the"
    And the page shows "Welcome to the shop"
    And the page does not show "offer"
    And the page does not show "scripted"
    And the page does not show "no script"
    And the page has the title "Shop"
    And the page does not have the title "Shop 2"
    And the page has the link "Sign in"
    And the page has the link "Basket"
    And the page does not have the link "Sign out"
    And the page has the field "Search"
    And the page does not have the field "User"
    And the page does not have the button "Sign in"
    And the page has the element "h1 b"
    And the page does not have the element "h2"
    And the page has exactly 2 elements "a[href='/orders']"
    And the page has the element "h1" showing "Welcome"
    And the session has the cookie "sid"
    And the session does not have the cookie "seen"

  Scenario: ok, a login
    When the page "{param.url}/" is opened
    And the link "Sign in" is followed
    Then the page is at "/login"
    And the page has the box "Remember me" ticked
    And the page has the field "User" equal to ""
    When the field "User" is filled with "ada"
    Then the page has the field "User" equal to "ada"
    When the field "Password" is filled with "{param.password}"
    And the button "Sign in" is pressed
    Then the page is at "/orders?from=login"
    And the page shows "Hello ada, remembered: yes"
    And the page shows "seen=1"
    And the page does not show "x=1"
    And the session has the cookie "seen"
    And the session has the cookie "in"
    When the link "Sign out" is followed
    Then the page is at "/"
    And the session does not have the cookie "in"
    When the page "/orders" is opened
    Then the page is at "/login"

  Scenario: ok, a box that is unticked
    When the page "{param.url}/login" is opened
    And the field "u" is filled with "ada"
    And the field "password" is filled with "{param.password}"
    And the box "Remember me" is unticked
    Then the page has the box "Remember me" not ticked
    When the button "Sign in" is pressed
    Then the page shows "remembered: no"

  Scenario: critical, a wrong password
    # says: /login does not show "Hello ada"
    When the page "{param.url}/login" is opened
    And the field "User" is filled with "ada"
    And the field "Password" is filled with "{param.wrong}"
    And the button "Sign in" is pressed
    Then the page has the element "p.error" showing "Wrong password"
    And the page shows "Hello ada"

  Scenario: unknown, a password in a feature
    # says: is for a password: a secret stands in no feature
    When the page "{param.url}/login" is opened
    And the field "pw" is filled with "literal-pw"
    Then the page shows "Sign in"

  Scenario: unknown, a password in a feature that is the real one
    # says: is for a password: a secret stands in no feature
    When the page "{param.url}/login" is opened
    And the field "pw" is filled with "REAL"
    Then the page shows "Sign in"

  Scenario: ok, all of a form
    When the page "{param.url}/order" is opened
    Then the page has the option "Standard" of "Delivery" selected
    When the option "Express" of "Delivery" is selected
    And the option "Bag" of "Extras" is selected
    And the option "Card" of "Extras" is selected
    And the option "Gift" of "Extras" is deselected
    And the box "Terms" is ticked
    And the box "News" is ticked
    And the box "News" is unticked
    And the radio button "Invoice" is chosen
    And the field "Code" is filled with "ab&c"
    And the field "Comment" is filled with "{param.comment}"
    And the file "PLACE/photo.png" is attached to "Photo"
    Then the page has the option "Express" of "Delivery" selected
    And the page has the option "Standard" of "Delivery" not selected
    And the page has the option "Card" of "Extras" selected
    And the page has the option "Gift" of "Extras" not selected
    And the page has the radio button "Invoice" chosen
    And the page has the radio button "Card" not chosen
    And the page has the field "Comment" containing "lines"
    And the page has the field "Code" not containing "x"
    And the page has the field "Delivery" equal to "Express"
    When the button "Order now" is pressed
    Then the page answers 201
    And the page has the title "Thanks"
    And the page shows "delivery=x"

  Scenario: ok, a form as it is
    When the page "{param.url}/order" is opened
    And the box "News" is ticked
    And the button "Clear" is pressed
    And the button "Order now" is pressed
    Then the page does not show "news"

  Scenario: ok, a form without a button
    When the page "{param.url}/" is opened
    And the field "Search" is filled with "two words & more é"
    And the form "search" is sent
    Then the page shows "searched: q=two+words+%26+more+%C3%A9"
    And the page is at "/search?q=two+words+%26+more+%C3%A9"

  Scenario: ok, a character set of its own
    When the page "{param.url}/latin" is opened
    Then the page has the title "Café"
    When the field "n" is filled with "é€"
    And the button "Go" is pressed
    Then the page shows "n=%E9%26%238364%3B"

  Scenario: ok, what is no page
    When the page "{param.url}/health" is opened
    Then the page contains "up"
    And the page answers 200

  Scenario: ok, an error that is asked for
    When the page "{param.url}/gone" is opened whatever it answers
    Then the page answers 410
    And the page does not answer 200
    And the page shows "gone for good"

  Scenario: ok, another server has no part in it
    When the page "{param.url}/far" is opened with the request header "Authorization: Bearer {param.password}"
    Then the page is not at "/far"
    And the page does not show "Bearer"
    And the page has the title "Headers"

  Scenario: ok, a page that is waited for
    When the page "{param.url}/slow/start" is opened
    And the link "Ready" is followed within 30 s
    Then the page is at "/login"

  Scenario: critical, a link that is not there
    # says: there is no link "Shipping" on
    When the page "{param.url}/" is opened
    And the link "Shipping" is followed
    Then the page does not show "Traceback"

  Scenario: critical, a link to what fails
    # says: /broken answered 500
    When the page "{param.url}/" is opened
    And the link "Broken" is followed
    Then the page does not show "x"

  Scenario: critical, a page that is not there
    # says: /nosuch answered 404
    When the page "{param.url}/nosuch" is opened
    Then the page does not show "x"

  Scenario: critical, nobody there
    # says: http://127.0.0.1:1/ does not answer
    When the page "http://127.0.0.1:1/" is opened
    Then the page does not show "x"

  Scenario: critical, a link by JavaScript
    # says: the link "Chat" on
    When the page "{param.url}/" is opened
    And the link "Chat" is followed

  Scenario: critical, a link that is no page
    # says: leads to 'mailto:a@shop', which is no page
    When the page "{param.url}/" is opened
    And the link "Mail" is followed

  Scenario: critical, a button by JavaScript
    # says: the button "Show" on
    When the page "{param.url}/login" is opened
    And the button "Show" is pressed

  Scenario: unknown, a page made by scripts
    # says: it needs JavaScript, which is not run here
    When the page "{param.url}/app" is opened
    And the button "Start" is pressed

  Scenario: unknown, what a page made by scripts does not show
    # says: needs JavaScript, which is not run here
    When the page "{param.url}/app" is opened
    Then the page does not show "error"

  Scenario: unknown, two links of one name
    # says: 2 on
    When the page "{param.url}/" is opened
    And the link "More" is followed

  Scenario: critical, an option that is not there
    # says: has no option "Pigeon"; it has: "Standard", "Express", "Drone"
    When the page "{param.url}/order" is opened
    And the option "Pigeon" of "Delivery" is selected

  Scenario: critical, an option that is disabled
    # says: the option "Drone" of
    When the page "{param.url}/order" is opened
    And the option "Drone" of "Delivery" is selected

  Scenario: critical, a field that is disabled
    # says: it is disabled
    When the page "{param.url}/order" is opened
    And the field "Off" is filled with "1"

  Scenario: critical, a field that is read-only
    # says: it is read-only
    When the page "{param.url}/order" is opened
    And the field "Fixed" is filled with "2"

  Scenario: critical, a text that is too long
    # says: takes 4 characters at most, and this has 5
    When the page "{param.url}/order" is opened
    And the field "Code" is filled with "12345"

  Scenario: unknown, a file that is not there
    # says: /nosuch cannot be read by the controller
    When the page "{param.url}/order" is opened
    And the file "PLACE/nosuch" is attached to "Photo"
    And the button "Order now" is pressed

  Scenario: unknown, a file that is too large
    # says: is larger than the 4 MiB that are sent
    When the page "{param.url}/order" is opened
    And the file "PLACE/large" is attached to "Photo"
    And the button "Order now" is pressed

  Scenario: critical, redirects without an end
    # says: it redirects more than 10 times
    When the page "{param.url}/loop" is opened

  Scenario: critical, a field of what is no page
    # says: is application/json, and no page of HTML
    When the page "{param.url}/health" is opened
    And the field "status" is filled with "x"

  Scenario: critical, neither so nor not so
    # says: there is no box "Nosuch" on
    When the page "{param.url}/login" is opened
    Then the page has the box "Nosuch" not ticked

  Scenario: unknown, what a long page does not have
    # says: longer than the 1 MiB
    When the page "{param.url}/long" is opened
    Then the page has the link "Home"
    And the page does not have the link "End"

  Scenario: unknown, a page that is too deep
    # says: more than 20000 elements
    When the page "{param.url}/deep" is opened
    Then the page has the link "Home"

  Scenario: critical, a hidden field
    # says: there is no field "csrf" on
    When the page "{param.url}/login" is opened
    And the field "csrf" is filled with "forged"

  @warning
  Scenario: warning, as tagged
    # says: there is no link "Shipping" on
    When the page "{param.url}/" is opened
    And the link "Shipping" is followed
    Then the page shows "x"

  Scenario: critical, an action goes before
    # says: there is no link "Sign out" on
    When the command "true" is run
    And the page "{param.url}/" is opened
    Then the page shows "Welcome"
    When the link "Sign in" is followed
    Then the page is at "/login"
    And the page has the link "Sign out"
