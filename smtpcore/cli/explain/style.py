"""How the page looks: in light and dark, on wide screens and narrow ones, and on paper."""

from __future__ import annotations

from typing import Final

__all__ = ["STYLE"]

STYLE: Final = """\
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --ink: #1d2226; --soft: #5d6670; --line: #dcdad2; --card: #fff;
  --client: #2b5f9e; --server: #2f7a52; --bad: #b3261e; --bad-card: #fdf1ef; --good: #2f7a52;
  --link: #2b5f9e; --code: #f3f1eb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16191c; --ink: #e4e4df; --soft: #9aa3ab; --line: #33393e; --card: #1e2226;
    --client: #7fb0ea; --server: #7cc79c; --bad: #ff8a80; --bad-card: #2c1f1f; --good: #7cc79c;
    --link: #8fbcf0; --code: #171b1e;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif;
}
main { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 1rem; }
footer { max-width: 76rem; margin: 0 auto; padding: 1rem 1.25rem 2rem; color: var(--soft); font-size: .85rem; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 1.6rem 0 .5rem; font-size: 1.05rem; }
.about { margin: .25rem 0 0; color: var(--soft); }
header:not(:first-child) { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 2rem; }
code, pre { font: .9em/1.45 ui-monospace, "SF Mono", "Liberation Mono", "DejaVu Sans Mono", monospace; }
code { overflow-wrap: anywhere; }
a { color: var(--link); text-underline-offset: .15em; }
.rule { font-size: .8em; white-space: nowrap; text-decoration: none; opacity: .85; }
.rule:hover { text-decoration: underline; opacity: 1; }
.summary {
  margin: 1.25rem 0 0; padding: 1rem 1.25rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .6rem;
}
.summary h2:first-child, .verdict + h2 { margin-top: .9rem; }
.verdict { margin: 0; font-size: 1.1rem; }
.verdict.good { color: var(--good); }
.verdict.bad { color: var(--bad); }
.findings { margin: 0; padding-left: 1.6rem; }
.findings li { margin: .2rem 0; }
.by {
  display: inline-block; padding: 0 .45em; border: 1px solid currentColor; border-radius: .3em;
  font-size: .75em; line-height: 1.5; color: var(--bad); vertical-align: .08em;
}
table { border-collapse: collapse; width: 100%; }
th, td { padding: .35rem .75rem .35rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-size: .8rem; font-weight: 500; padding-bottom: .15rem; }
tbody th { font-weight: 600; white-space: nowrap; }
td { overflow-wrap: anywhere; }
.outcome td:nth-child(2) { white-space: nowrap; }
.chip {
  display: inline-block; padding: .05rem .55rem; border-radius: 1rem; font-size: .75rem; line-height: 1.45;
  background: color-mix(in srgb, var(--hue, #888) 16%, transparent); white-space: nowrap;
  color: color-mix(in srgb, var(--hue, #888) 70%, var(--ink));
}
.chip.connected, .chip.closed { --hue: #7a7f85; }
.chip.greeted { --hue: #8a6d1f; }
.chip.ready { --hue: #2f7a52; }
.chip.mail { --hue: #1f7a8a; }
.chip.rcpt { --hue: #2b5fae; }
.chip.content { --hue: #7046b0; }
.chip.authenticating { --hue: #a8518c; }
.chip.upgrading { --hue: #a8518c; }
.chip.refused, .chip.not-sent { --hue: #c0352b; }
.chip.deferred, .chip.unknown { --hue: #b36b00; }
.chip.accepted { --hue: #2f8a52; }
.sides, .dialogue { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); column-gap: 1.25rem; }
.sides {
  position: sticky; top: 0; z-index: 1; padding: .4rem 0; background: var(--paper);
  border-bottom: 1px solid var(--line); font-weight: 600;
}
.sides span:first-child { color: var(--client); }
.sides span:last-child { color: var(--server); }
.dialogue { row-gap: .75rem; margin-top: .75rem; align-items: start; }
.step {
  scroll-margin-top: 3rem; padding: .6rem .9rem .7rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .6rem; border-left: .25rem solid var(--side);
}
.client { grid-column: 1; --side: var(--client); }
.server { grid-column: 2; --side: var(--server); }
.note { grid-column: 1 / -1; --side: var(--soft); color: var(--soft); text-align: center; padding: .3rem .9rem; }
.note .where { justify-content: center; }
.step:has(.header) { grid-column: 1 / -1; }
.step:target { outline: 2px solid var(--link); }
.step p, .step ul { margin: .35rem 0 0; font-size: .93rem; }
.step ul { padding-left: 1.2rem; }
.step .where {
  display: flex; justify-content: space-between; gap: .75rem; margin: 0; color: var(--soft); font-size: .78rem;
}
.states { display: flex; gap: .3rem; align-items: center; flex-wrap: wrap; justify-content: flex-end; }
.step .answers { color: var(--soft); font-size: .82rem; }
pre {
  margin: .4rem 0 0; padding: .5rem .7rem; background: var(--code); border-radius: .4rem;
  white-space: pre-wrap; overflow-wrap: anywhere; max-height: 32rem; overflow-y: auto;
}
.note pre { background: none; padding: 0; }
.step.bad { border-color: color-mix(in srgb, var(--bad) 45%, var(--line)); border-left-color: var(--bad); }
.step .finding {
  padding: .35rem .6rem; background: var(--bad-card); border-radius: .4rem; color: var(--bad); font-size: .9rem;
}
.finding .rule { color: inherit; }
.header { margin-top: .7rem; font-size: .9rem; table-layout: fixed; }
.header th:first-child { width: 15rem; }
.header th:last-child { width: 22rem; }
.header tbody th { white-space: normal; overflow-wrap: anywhere; }
@media (max-width: 52rem) {
  .sides { display: none; }
  .dialogue { grid-template-columns: minmax(0, 1fr); }
  .client, .server, .note, .step:has(.header) { grid-column: 1; }
  .client { margin-right: 8%; }
  .server { margin-left: 8%; }
  .header th:first-child { width: 8rem; }
  .header th:last-child { width: 9rem; }
}
@media print {
  .sides { position: static; }
  .step, .summary { break-inside: avoid; }
  pre { max-height: none; }
}
"""
