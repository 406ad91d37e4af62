#!/usr/bin/env python3
"""A second opinion on Block Kit: Slack's own Python models read everything that the tests saw the bot send to Slack.

    DRILLBOT_TEST_SLACK_PAYLOADS=target/slack-payloads cargo test --test it -- slack
    python3 tests/slack_models.py target/slack-payloads        (needs what tests/slack_models.txt says)

What the models refuse, do not know, drop or change is printed, and the exit code is 1.
"""

import json
import logging
import pathlib
import re
import sys

from slack_sdk.models.blocks import Block
from slack_sdk.models.blocks.block_elements import RichTextElementParts
from slack_sdk.models.metadata import Metadata
from slack_sdk.models.views import View

# Ways to say something to Slack that the tests have to use, so that an empty folder does not pass.
WAYS = {
    "chat.postMessage",
    "chat.update",
    "response_url",
    "views.open",
    "views.update",
    "views.publish",
    "acknowledgement",
    "rendered",
}

# Of each kind something broken that has to be found, lest a newer slack_sdk finds nothing any more.
TEXT = {"type": "plain_text", "text": "x"}
BROKEN = [
    {"blocks": [{"type": "sectoin", "text": TEXT}]},
    {"blocks": [{"type": "header"}]},
    {"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]},
    {"blocks": [{"type": "header", "text": {"type": "plian_text", "text": "x"}}]},
    {"blocks": [{"type": "divider", "colour": "red"}]},
    {"blocks": [{"type": "actions", "elements": [{"type": "buton", "text": TEXT, "action_id": "a"}]}]},
    {"blocks": [{"type": "actions", "elements": [{"type": "button", "text": TEXT, "action_id": "a" * 256}]}]},
    {"blocks": [{"type": "actions", "elements": [{"type": "button", "text": TEXT, "action_id": "a", "style": "red"}]}]},
    {"blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "txet"}]}]}]},
    {"blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": [
        {"type": "text", "text": "x", "style": {"blod": True}}]}]}]},
    {"view": {"type": "modal", "title": {"type": "plain_text", "text": "x" * 25}, "blocks": [{"type": "divider"}]}},
    {"view": {"type": "home", "submit": TEXT, "blocks": [{"type": "divider"}]}},
    {"view": {"type": "home", "blocks": [{"type": "divider"}] * 101}},
    {"view": {"type": "home", "blocks": [{"type": "divider"}], "tilte": TEXT}},
]


class Said(logging.Handler):
    """What the models warn of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.words = []

    def emit(self, record):
        self.words.append(record.getMessage()[:200])


def changed(sent, dumped, at):
    """Where what the models give back is not what was sent."""
    if isinstance(sent, dict) and isinstance(dumped, dict):
        for name in sent.keys() | dumped.keys():
            if name not in dumped:
                yield f"{at}.{name}: not known, or empty; the models drop it"
            elif name not in sent:
                yield f"{at}.{name}: missing; the models put {dumped[name]!r}"
            else:
                yield from changed(sent[name], dumped[name], f"{at}.{name}")
    elif isinstance(sent, list) and isinstance(dumped, list) and len(sent) == len(dumped):
        for n, (one, other) in enumerate(zip(sent, dumped)):
            yield from changed(one, other, f"{at}[{n}]")
    elif sent != dumped or isinstance(sent, bool) != isinstance(dumped, bool):
        yield f"{at}: {json.dumps(sent)[:200]} becomes {json.dumps(dumped)[:200]}"


def styles(it, at):
    """The models take any style; their own type for it does not."""
    if isinstance(it, list):
        for n, one in enumerate(it):
            yield from styles(one, f"{at}[{n}]")
    elif isinstance(it, dict):
        if isinstance(it.get("style"), dict):
            try:
                RichTextElementParts.TextStyle(**it["style"])
            except TypeError as error:
                yield f"{at}.style: {error}"
        for name, one in it.items():
            yield from styles(one, f"{at}.{name}")


def read(sent, make, at):
    """What is wrong with one thing that a model is made of."""
    try:
        made = make(sent)
        if made is None:
            yield f"{at}: {json.dumps(sent)[:200]} is nothing that the models know"
            return
        yield from changed(sent, made.to_dict(), at)
    # Whatever a model raises, it has not understood.
    except Exception as error:
        yield f"{at}: {type(error).__name__}: {error}"


def structure(it):
    """Forms carry JSON in strings."""
    return json.loads(it) if isinstance(it, str) else it


def problems(body):
    said = Said()
    logging.getLogger("slack_sdk").addHandler(said)
    found = []
    if body.get("blocks") is not None:
        blocks = structure(body["blocks"])
        for n, block in enumerate(blocks):
            found += read(block, lambda block: Block.parse_all([block])[0], f"blocks[{n}]")
        found += styles(blocks, "blocks")
    if body.get("view") is not None:
        view = structure(body["view"])
        found += read(view, lambda view: View(**view), "view")
        found += styles(view, "view")
    if body.get("metadata") is not None:
        found += read(structure(body["metadata"]), lambda it: Metadata(**it), "metadata")
    logging.getLogger("slack_sdk").removeHandler(said)
    return found + said.words


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for body in BROKEN:
        if not problems(body):
            sys.exit(f"slack_models.py: slack_sdk finds nothing wrong with {json.dumps(body)[:300]}; another version may")
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.jsonl"))
    seen, ways, wrong = set(), set(), {}
    for file in files:
        for line in file.read_text(encoding="utf-8").split("\n")[:-1]:
            kept = json.loads(line)
            body = kept["body"]
            ways.add(kept["what"])
            content = json.dumps([kept["what"], *(body.get(name) for name in ("blocks", "view", "metadata"))])
            if content in seen:
                continue
            seen.add(content)
            for problem in problems(body):
                # The same thing in another place is not listed again.
                problem = re.sub(r"\[\d+\]", "[]", f"{kept['what']}: {problem}")
                wrong.setdefault(problem, set()).add(kept["test"] or "some test")
    for problem, tests in sorted(wrong.items()):
        print(f"{problem}\n    in {', '.join(sorted(tests)[:3])}{' and others' if len(tests) > 3 else ''}")
    missing = WAYS - ways
    if missing:
        print(f"Nothing came by {', '.join(sorted(missing))}: were all tests of Slack run with this folder?")
    if wrong or missing:
        sys.exit(1)
    print(f"{len(seen)} payloads are what Slack's own models read and write")


main()
