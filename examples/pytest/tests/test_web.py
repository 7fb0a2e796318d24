"""What a sentence cannot say is said in Python: `host` is testinfra's, on the hosts of the stack."""


def test_nginx_runs(host):
    assert host.service("nginx").is_running
    assert host.socket("tcp://0.0.0.0:80").is_listening


def test_the_page_is_readable_by_nginx(host):
    page = host.file("/var/www/html/index.html")
    assert page.user == "root"
    assert page.mode & 0o004


def test_the_name_is_the_stacks(host):
    assert host.check_output("hostname") == "web"
