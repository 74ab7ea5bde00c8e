import doctest

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.sources.host import accounts
from agent.sources.host.accounts import Known, changes, read_accounts, read_members, read_primary

PASSWD = """root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
web:x:33:33:www:/var/www:/usr/sbin/nologin
li:x:1000:1000:李明,,,:/home/li:/bin/bash
"""
SHADOW = """root:$y$j9T$abc$def:20000:0:99999:7:::
daemon:*:20000:0:99999:7:::
web:!:20000:0:99999:7:::
li:$y$j9T$ghi$jkl:20000:0:99999:7:::
"""
GROUP = "root:x:0:\nsudo:x:27:li\ndocker:x:999:\nusers:x:100:li,web\n"
SUDOERS = {"/etc/sudoers": "# comment\nDefaults env_reset\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n"}


def known(passwd: str = PASSWD, shadow: str = SHADOW, group: str = GROUP, **sudoers: str) -> Known:
    files = SUDOERS | {f"/etc/sudoers.d/{name}": text for name, text in sudoers.items()}
    accounts = read_accounts(passwd, shadow)
    return Known(True, accounts, read_members(group), files, read_primary(group, accounts))


def found(after: Known, before: Known | None = None) -> list[tuple[str, str, bool]]:
    return [(one.change, one.account, one.power) for one in changes(before or known(), after)]


def test_the_examples_run() -> None:
    assert doctest.testmod(accounts).failed == 0


def test_what_is_as_it_was_is_no_change() -> None:
    assert found(known()) == []


def test_a_second_root_is_an_abuse_whatever_its_name() -> None:
    toor = "toor:x:0:0::/root:/bin/bash\n"

    assert found(known(PASSWD + toor, SHADOW + "toor:$6$x$y:20000::::::\n")) == [
        ("uid_zero", "toor", True),
        ("account_added", "toor", False),
    ]


def test_an_ordinary_account_is_no_abuse() -> None:
    wang = "wang:x:1001:1001::/home/wang:/bin/bash\n"

    assert found(known(PASSWD + wang, SHADOW + "wang:!:20000::::::\n")) == [("account_added", "wang", False)]
    assert found(known(), known(PASSWD + wang)) == [("account_removed", "wang", False)]


def test_an_account_that_needs_no_password_any_more_is_an_abuse() -> None:
    assert found(known(shadow=SHADOW.replace("li:$y$j9T$ghi$jkl", "li:"))) == [("password_empty", "li", True)]


def test_passwords_are_told_by_their_change_and_kept_as_no_hash() -> None:
    changed = known(shadow=SHADOW.replace("ghi", "other").replace("web:!", "web:$6$a$b"))

    assert found(changed) == [("password_changed", "li", False), ("password_changed", "web", False)]
    assert found(known(shadow=SHADOW.replace("li:$", "li:!$"))) == [("password_locked", "li", False)]
    assert "$y$" not in str(changed)


def test_a_service_account_that_gets_a_shell_is_told() -> None:
    changed = PASSWD.replace("/var/www:/usr/sbin/nologin", "/var/www:/bin/bash")

    assert found(known(changed)) == [("shell_given", "web", False)]


def test_membership_counts_in_groups_that_give_power_alone() -> None:
    more = GROUP.replace("docker:x:999:", "docker:x:999:web").replace("users:x:100:li", "users:x:100:root,li")

    assert found(known(group=more)) == [("group_joined", "web", True)]
    assert found(known(group=GROUP.replace(":li\n", ":\n"))) == [("group_left", "li", False)]


def test_who_has_a_privileged_group_as_his_own_is_in_it_although_its_line_does_not_say_so() -> None:
    """useradd -g sudo wang; usermod -g docker web"""
    wang = "wang:x:1001:27::/home/wang:/bin/bash\n"
    after = known(PASSWD.replace("web:x:33:33:", "web:x:33:999:") + wang)

    assert found(after) == [
        ("group_joined", "web", True),
        ("group_joined", "wang", True),
        ("account_added", "wang", False),
    ]


def test_an_account_that_brings_a_group_of_its_name_joined_none() -> None:
    admin = "admin:x:1001:1001::/home/admin:/bin/bash\n"

    assert found(known(PASSWD + admin, group=GROUP + "admin:x:1001:\n")) == [
        ("account_added", "admin", False)
    ]


def test_notes_that_knew_no_own_groups_learn_them_and_tell_nothing() -> None:
    before = replace(known(), primary=None)

    assert found(known(), before) == []


def test_a_rule_of_sudo_is_told_and_a_comment_is_none() -> None:
    assert found(known(web="web ALL=(ALL) NOPASSWD: ALL # backup\n")) == [("sudo_rule_added", "web", True)]
    assert found(known(web="# web ALL=(ALL) NOPASSWD: ALL\n")) == []
    assert found(known(web="#includedir /tmp/rules\n")) == [("sudo_rule_added", "#includedir", True)]
    assert found(known(web="#0 ALL=(ALL) ALL\n")) == [("sudo_rule_added", "#0", True)]


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_read(passwd: str, shadow: str, group: str, rules: str) -> None:
    after = Known(True, read_accounts(passwd, shadow), read_members(group), {"/etc/sudoers": rules})
    list(changes(known(), after))
    list(changes(after, known()))
