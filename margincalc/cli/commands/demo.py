"""`demo`: a minute with a sample: each question, the command that answers it, and its answer."""

from pathlib import Path

import click

from margincalc.cli.options import Options, examples, shared
from margincalc.cli.output import write
from margincalc.cli.program import root

FILE = "demo.yaml"
SAMPLE = Path(__file__).parent.parent / FILE
TOUR = (
    (
        "A short strangle: ten puts and ten calls sold. Am I safe, what would kill me, and what "
        "is the requirement made of?",
        ("margin",),
    ),
    (
        "The same at once after a rise of 10 %, without touching the file:",
        ("margin", "--spot", "+10%"),
    ),
    ("What if every position had to stand on its own collateral?", ("compare",)),
    (
        "What would a venue's own rules ask?",
        ("compare", "--model", "deribit-pm", "--model", "derive-pm2"),
    ),
)


@click.command(epilog=examples("margincalc demo", "margincalc demo --output tour.txt"))
@shared("output")
def demo(options: Options) -> None:
    """Walk through a sample in a minute: questions, commands, answers.

    The sample ships with the program; the last lines say how to make a file of your own.
    """
    text = SAMPLE.read_text("utf-8")
    parts = [f"This is {FILE}, a portfolio:\n\n{_indented(text)}"]
    parts += [_step(question, arguments) for question, arguments in TOUR]
    write("\n".join([*parts, END]), options)


END = f"""A file of your own starts best from this one:

    margincalc convert {SAMPLE} --output book.yaml

`margincalc --help` lists the commands, and each one's `--help` ends with two examples.
"""


def _step(question: str, arguments: tuple[str, ...]) -> str:
    """Return a question, the command that answers it, and the answer."""
    command, *more = arguments
    typed = " ".join(["margincalc", command, FILE, *more])
    import textwrap

    return f"{textwrap.fill(question, 80)}\n\n    $ {typed}\n{_indented(_answer(command, more))}"


def _answer(command: str, more: list[str]) -> str:
    """Run a command as a shell would, and return what it prints."""
    import contextlib
    import io

    program, out = root(), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.suppress(SystemExit),
    ):
        program.main([command, str(SAMPLE), *more])
    out.flush()
    out.seek(0)
    return out.read()


def _indented(text: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())
