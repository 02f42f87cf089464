"""The verb `doctor`."""

from __future__ import annotations

import click

from ._account import Account
from ._options import Form, as_form, of_account, verb


@verb("doctor", short_help="Find out why it does not work.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 300),
    default=10.0,
    show_default=True,
    metavar="S",
    help="Seconds for each of the four checks that use the network.",
)
@click.option("--trust-env", is_flag=True, help="Use the proxy that the environment names.")
@as_form("json")
@of_account
def doctor(timeout: float, trust_env: bool, form: Form | None, account: Account) -> None:
    """
    Check the environment, the network, the clock, the token and one small request.

    A line for each says ok, warn, FAIL or skipped. The exit code is that of the first that
    failed. No value of a credential is shown, so that the lines can be sent to others.
    """
    from ._doctor import run_doctor

    run_doctor(account, timeout=timeout, trust_env=trust_env, form=form)
