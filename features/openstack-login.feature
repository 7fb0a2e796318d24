# What an OpenStack says to who is logged in: keystone takes the token and its catalog names each part, and each part
# shows what is this project's. It goes with @openstack-cloud, which asks without a login; where the services are are the
# same parameters of the stack file, and the token is a secret one, that your own client gets:
#   parameters:
#     keystone: {type: string, default: "https://cloud.example:5000"}
#     glance: {type: string, default: "https://cloud.example:9292"}
#     nova: {type: string, default: "https://cloud.example:8774"}
#     neutron: {type: string, default: "https://cloud.example:9696"}
#     openstack_token: {type: string, secret: true, from: {command: [openstack, token, issue, -f, value, -c, id]}}
#   infratest check @openstack-login
# Each sentence has been seen red: `infratest mutate @openstack-login`, and with a token that keystone did not give.
Feature: The cloud serves who is logged in

  Scenario: keystone takes the token, and knows each part
    Then "{param.keystone}/v3/auth/projects" with the request header "X-Auth-Token: {param.openstack_token}" answers 200 in less than 5 s, warning 1 s
    And "{param.keystone}/v3/auth/catalog" with the request header "X-Auth-Token: {param.openstack_token}" contains "\"identity\""
    And "{param.keystone}/v3/auth/catalog" with the request header "X-Auth-Token: {param.openstack_token}" contains "\"image\""
    And "{param.keystone}/v3/auth/catalog" with the request header "X-Auth-Token: {param.openstack_token}" contains "\"compute\""
    And "{param.keystone}/v3/auth/catalog" with the request header "X-Auth-Token: {param.openstack_token}" contains "\"network\""
    And "{param.keystone}/v3/auth/catalog" with the request header "X-Auth-Token: {param.openstack_token}" contains "\"placement\""

  Scenario: each part takes the token, and shows what is there
    Then "{param.glance}/v2/images" with the request header "X-Auth-Token: {param.openstack_token}" answers 200
    And "{param.glance}/v2/images" with the request header "X-Auth-Token: {param.openstack_token}" contains "\"images\""
    And "{param.nova}/v2.1/servers" with the request header "X-Auth-Token: {param.openstack_token}" answers 200
    And "{param.nova}/v2.1/servers" with the request header "X-Auth-Token: {param.openstack_token}" contains "\"servers\""
    And "{param.neutron}/v2.0/networks" with the request header "X-Auth-Token: {param.openstack_token}" answers 200
    And "{param.neutron}/v2.0/networks" with the request header "X-Auth-Token: {param.openstack_token}" contains "\"networks\""
