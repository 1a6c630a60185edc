"""`slipway completion`: the script by which a shell completes verbs, options, environments, targets and URLs."""

import click
from click.shell_completion import get_completion_class

VARIABLE = "_SLIPWAY_COMPLETE"
"""By it the shell asks the command what fits; click reads it."""


_PLACES = """
\b
bash: slipway completion bash > /etc/bash_completion.d/slipway
zsh:  slipway completion zsh > ~/.zfunc/_slipway     (a folder of $fpath)
fish: slipway completion fish > ~/.config/fish/completions/slipway.fish
"""


@click.command(epilog=_PLACES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "slipway", VARIABLE).source(), nl=False)
