"""Draws a table of states and transitions.

The table has the form of ``smtpcore.table.TRANSITIONS``: state -> command -> first digit of the reply -> state. States
stand in one column; what leads down runs on the right of it, what leads up on the left, and each transition is labelled
where it leaves. Nothing is placed by chance, so the same table gives the same drawing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, NamedTuple

Transitions = Mapping[Any, Mapping[type, Mapping[int, Any]]]

_CHARACTER = 7.3  # width of one, in pixels at the size used
_PORT = 26  # distance between two lines at a box
_GAP = 28  # between two boxes
_LANE = 14  # between two lines side by side
_MARGIN = 8


class Edge(NamedTuple):
    """All transitions from one state to another."""

    source: str
    target: str
    label: str


class Lane(NamedTuple):
    """An edge with its way: where it leaves, where it arrives, and which lane it takes between."""

    edge: Edge
    start: float
    end: float
    number: int


def verb(command: type) -> str:
    """What a command is called on the wire."""
    named = getattr(command, "verb", None)
    if isinstance(named, bytes):
        named = named.decode("ascii")
    return named if isinstance(named, str) and named else command.__name__.upper()


def state_name(state: Any) -> str:
    """What a state is called in the drawing."""
    return str(getattr(state, "name", state)).replace("_", " ").lower()


def rows(transitions: Transitions) -> Iterator[tuple[str, str, str, str]]:
    """The table as rows of text: state, command, digit of the reply, next state."""
    for state, commands in transitions.items():
        for command, replies in commands.items():
            for digit, target in replies.items():
                yield state_name(state), verb(command), f"{digit}yz", state_name(target)


def states(transitions: Transitions) -> list[str]:
    """The states that have a transition, in the order in which the table leads to them."""
    order: list[str] = []
    steps: dict[str, list[str]] = {}
    for source, _, _, target in rows(transitions):
        steps.setdefault(source, []).append(target)
    for start in list(steps):
        waiting = [start]
        while waiting:
            state = waiting.pop(0)
            if state not in order:
                order.append(state)
                waiting += steps.get(state, [])
    # Where nothing leads on from is the end of it.
    return [state for state in order if state in steps] + [state for state in order if state not in steps]


def edges(transitions: Transitions) -> list[Edge]:
    """The transitions that change the state, those between the same two states as one."""
    verbs: dict[tuple[str, str], dict[str, list[str]]] = {}
    for source, command, digit, target in rows(transitions):
        if source != target:
            verbs.setdefault((source, target), {}).setdefault(command, []).append(digit[0])
    found = []
    for (source, target), digits_of in verbs.items():
        commands_of: dict[str, list[str]] = {}
        for command, digits in digits_of.items():
            commands_of.setdefault("/".join(digits), []).append(command)
        label = " · ".join(f"{' '.join(commands)} → {digits}" for digits, commands in commands_of.items())
        found.append(Edge(source, target, label))
    return found


def lanes(ways: list[tuple[Edge, float, float]]) -> list[Lane]:
    """Gives each edge the innermost lane that no other edge uses along its way; short ways first."""
    taken: list[list[tuple[float, float]]] = []
    placed = []
    for edge, start, end in sorted(ways, key=lambda way: (abs(way[2] - way[1]), way[1])):
        top, bottom = min(start, end), max(start, end)
        free = [
            number
            for number, spans in enumerate(taken)
            if all(bottom < other_top or top > other_bottom for other_top, other_bottom in spans)
        ]
        if not free:
            free = [len(taken)]
            taken.append([])
        taken[free[0]].append((top, bottom))
        placed.append(Lane(edge, start, end, free[0]))
    return placed


def svg(transitions: Transitions, title: str) -> str:
    """The drawing, to stand in a page of HTML; its colour is that of the text around it."""
    names = states(transitions)
    drawn = edges(transitions)
    place = {name: number for number, name in enumerate(names)}

    # Down on the right, up on the left. On each side a state has a port for each line: arrivals from above first, then
    # departures, so that lines cross as little as one column allows.
    sides: dict[str, list[Edge]] = {"right": [], "left": []}
    for edge in drawn:
        sides["right" if place[edge.source] < place[edge.target] else "left"].append(edge)
    ports: dict[tuple[str, str], list[tuple[Edge, bool]]] = {}
    for side, members in sides.items():
        for name in names:
            arrivals = [(edge, False) for edge in members if edge.target == name]
            departures = [(edge, True) for edge in members if edge.source == name]
            arrivals.sort(key=lambda item: place[item[0].source], reverse=True)
            departures.sort(key=lambda item: place[item[0].target], reverse=True)
            ports[name, side] = arrivals + departures if side == "right" else departures + arrivals

    tops: dict[str, tuple[float, float]] = {}
    bottom = float(_MARGIN)
    for name in names:
        height = max(1, len(ports[name, "right"]), len(ports[name, "left"])) * _PORT + 6
        tops[name] = (bottom, height)
        bottom += height + _GAP
    total_height = bottom - _GAP + _MARGIN

    def port(name: str, side: str, item: tuple[Edge, bool]) -> float:
        return tops[name][0] + ports[name, side].index(item) * _PORT + _PORT / 2 + 5

    label_width = {side: max([len(e.label) * _CHARACTER + 22 for e in sides[side]], default=0) for side in sides}
    ways = {
        side: lanes(
            [(e, port(e.source, side, (e, True)), port(e.target, side, (e, False))) for e in members],
        )
        for side, members in sides.items()
    }
    lane_count = {side: max([lane.number + 1 for lane in ways[side]], default=0) for side in sides}
    box_width = max(len(name) for name in names) * _CHARACTER + 24
    left_edge = _MARGIN + label_width["left"] + lane_count["left"] * _LANE
    right_edge = left_edge + box_width
    total_width = right_edge + label_width["right"] + lane_count["right"] * _LANE + _MARGIN

    frame = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total_width:.0f} {total_height:.0f}" '
        f'style="width: {total_width:.0f}px; max-width: 100%" role="img" aria-label="{escape(title)}" '
        'font-family="monospace" font-size="12" fill="currentColor">'
    )
    parts = [frame, f"<title>{escape(title)}</title>"]
    for side, placed in ways.items():
        outward = 1 if side == "right" else -1
        edge_x = right_edge if side == "right" else left_edge
        for edge, start, end, number in placed:
            lane_x = edge_x + outward * (label_width[side] + number * _LANE + _LANE / 2)
            text_x = edge_x + outward * 8
            anchor = "start" if side == "right" else "end"
            parts.append(
                f'<path d="M{edge_x:.1f} {start:.1f}H{lane_x:.1f}V{end:.1f}H{edge_x + outward * 6:.1f}" '
                'fill="none" stroke="currentColor" stroke-opacity="0.6"/>'
                f'<path d="M{edge_x:.1f} {end:.1f}l{outward * 8} -4v8z"/>'
                f'<text x="{text_x:.1f}" y="{start - 4:.1f}" text-anchor="{anchor}">{escape(edge.label)}</text>'
            )
    for name, (top, height) in tops.items():
        parts.append(
            f'<rect x="{left_edge:.1f}" y="{top:.1f}" width="{box_width:.1f}" height="{height:.1f}" rx="6" '
            'fill="none" stroke="currentColor" stroke-width="1.5"/>'
            f'<text x="{left_edge + box_width / 2:.1f}" y="{top + height / 2 + 4:.1f}" text-anchor="middle" '
            f'font-weight="bold">{escape(name)}</text>'
        )
    parts.append("</svg>")
    return "".join(parts)
