"""`completion`: what teaches a shell to complete commands, options, models and samples."""

import click

from margincalc.cli.options import Options, examples, shared
from margincalc.cli.output import write
from margincalc.cli.program import root

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "margincalc"


@click.command(epilog=examples("margincalc completion bash", "margincalc completion zsh"))
@click.argument("shell", type=click.Choice(SHELLS))
@shared("output")
def completion(options: Options, shell: str) -> None:
    """Print the script that completes commands, options, models and samples.

    bash and zsh: eval "$(margincalc completion bash)" in ~/.bashrc or ~/.zshrc, with the shell's
    own name. fish: margincalc completion fish > ~/.config/fish/completions/margincalc.fish
    """
    from click.shell_completion import get_completion_class

    maker = get_completion_class(shell)
    assert maker is not None, "click completes each of these"
    variable = f"_{PROGRAM.upper()}_COMPLETE"
    script = maker(root(), {}, PROGRAM, variable).source()
    # click's script for fish ends a description at its first comma.
    script = script.replace('string split ","', 'string split --max 1 ","')
    write(script + "\n", options)
