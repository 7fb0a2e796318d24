# An operator's smoke test of an OpenStack: each service answers, offers the API that clients speak, lets in who has a
# token alone, and sends all others to the same keystone. It needs no login. Where they are are parameters of the stack
# file, and what its services are set to send clients to (`www_authenticate_uri`):
#   parameters:
#     keystone: {type: string, default: "https://cloud.example:5000"}
#     glance: {type: string, default: "https://cloud.example:9292"}
#     nova: {type: string, default: "https://cloud.example:8774"}
#     neutron: {type: string, default: "https://cloud.example:9696"}
#     placement: {type: string, default: "https://cloud.example:8778"}
#     keystone_uri: {type: string, default: "https://cloud.example:5000/v3"}
#   infratest check @openstack-cloud
# Each sentence has been seen red: `infratest mutate @openstack-cloud`.
Feature: The cloud answers, and its parts agree

  Scenario: who logs in is served
    Then "{param.keystone}/v3" answers 200 in less than 5 s, warning 1 s
    And "{param.keystone}/v3" contains "stable"

  Scenario: each part offers the API that clients speak
    Then "{param.glance}/versions" contains "v2."
    And "{param.nova}/" contains "v2.1"
    And "{param.neutron}/" contains "v2.0"
    And "{param.placement}/" contains "v1.0"

  Scenario: each lets in who has a token alone
    Then "{param.glance}/v2/images" answers 401
    And "{param.nova}/v2.1/servers" answers 401
    And "{param.neutron}/v2.0/networks" answers 401
    And "{param.placement}/resource_providers" answers 401

  Scenario: they agree who gives tokens
    Then "{param.glance}/v2/images" has the header "WWW-Authenticate" containing "{param.keystone_uri}"
    And "{param.nova}/v2.1/servers" has the header "WWW-Authenticate" containing "{param.keystone_uri}"
    And "{param.neutron}/v2.0/networks" has the header "WWW-Authenticate" containing "{param.keystone_uri}"
    And "{param.placement}/resource_providers" has the header "WWW-Authenticate" containing "{param.keystone_uri}"
