#!/usr/bin/env python3
"""Draws docs/charts/*.svg from docs/charts/*.txt, which hold what `ermctl bench` printed, nothing else.

    pip install -r docs/requirements.txt      # in a virtual environment
    python3 docs/charts.py                    # draw again: equal texts give equal pictures, byte for byte
    python3 docs/charts.py --measure          # first run every text's own first line again; needs ermctl on the PATH

Each text begins with its command, `$ ermctl bench …`, run in the repository's root, and goes on with its standard output.
No figure is typed in here; training-marks.txt alone was written by hand, and says where its figures are from. The command of serving.txt
begins with `#`, not `$`: it asks a running platform and names a process, so that --measure leaves it out.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402  (after the backend is chosen)

FOLDER = Path(__file__).resolve().parent / "charts"
SETTINGS = {
    "accuracy": "planned hours known",
    "accuracy-without-plan": "planned hours not known",
    "accuracy-online": "planned hours known, fitted again",
}
BASELINES = {"planned_hours", "person_ratio", "median_hours", "person_median"}
# Colours that the colour-blind tell apart; shapes say the same again.
STYLES = {
    "served": dict(color="#b0413e", marker="D", label="served: what the product answers"),
    "candidate": dict(color="#2f6690", marker="o", label="our candidates"),
    "baseline": dict(color="#6b6b6b", marker="s", label="simple baselines"),
    "published": dict(color="#c9822b", marker="o", label="published by others, same rows"),
}

plt.rcParams.update({
    "svg.hashsalt": "erm", "svg.fonttype": "none", "figure.facecolor": "white", "axes.facecolor": "white",
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 8.5, "axes.titlesize": 9.5,
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "ytick.left": False,
    "axes.grid": True, "axes.grid.axis": "x", "grid.color": "#e4e4e4", "axes.axisbelow": True,
})


class Run:
    """One printed run of `ermctl bench accuracy`: its two tables, figures as they were printed, and its `name=value` lines."""

    def __init__(self, name):
        self.title = SETTINGS[name]
        lines = (FOLDER / f"{name}.txt").read_text().splitlines()
        self.values = dict(line.split("=", 1) for line in lines if re.fullmatch(r"[\w.]+=\S+", line))
        self.verdict = next(line for line in lines if line.startswith("against the best baseline"))
        self.columns = re.split(r"\s{2,}", lines[1])[1:]
        ours, published = lines.index(""), lines.index("published on the same rows")
        self.ours = dict(self._row(line) for line in lines[2:ours])
        self.published = dict(self._row(line) for line in lines[published + 1:lines.index("", published)])

    def _row(self, line):
        name, figures = re.fullmatch(r"(.*?)((?:\s+(?:\d+\.\d+|–))+)", line).groups()
        return name, {column: figure for column, figure in zip(self.columns, figures.split()) if figure != "–"}

    def __getitem__(self, key):
        return float(self.values[key])

    def column(self, column):
        """(printed figure, name, kind) of all that have it."""
        rows = [(row[column], name, kind_of(name)) for name, row in self.ours.items() if column in row]
        return rows + [(row[column], name, "published") for name, row in self.published.items() if column in row]


def kind_of(name):
    return "served" if name == "served" else "baseline" if name in BASELINES else "candidate"


def legend(figure, columns=4):
    marks = [plt.Line2D([], [], linestyle="", markersize=5, **mark(kind)) for kind in STYLES]
    figure.legend(handles=marks, loc="lower center", ncol=columns, frameon=False)


def mark(kind):
    style = dict(STYLES[kind])
    if kind == "published":  # hollow: no interval of theirs is known
        style.update(markerfacecolor="white")
    return style


def dot(axes, x, y, kind, text):
    axes.plot(x, y, linestyle="", markersize=5, **mark(kind))
    axes.text(1.01, y, text, transform=axes.get_yaxis_transform(), va="center", color=STYLES[kind]["color"])


def save(figure, name):
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    print(f"docs/charts/{name}.svg")


def draw_error(axes, run):
    """Mean absolute error of all, best first, with the bootstrap interval where the bench printed one."""
    rows = sorted(run.column("MAE h"), key=lambda row: (float(row[0]), row[1] != "served"))
    for y, (error, name, kind) in enumerate(rows):
        if kind != "published":
            interval = [run[f"{name}.mae.low"], run[f"{name}.mae.high"]]
            axes.plot(interval, [y, y], color=STYLES[kind]["color"], linewidth=1.4, alpha=0.5)
        dot(axes, float(error), y, kind, error)
    axes.set_yticks(range(len(rows)), [row[1] for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows):
        label.set_color(STYLES[row[2]]["color"])
        label.set_fontweight("bold" if row[2] == "served" else "normal")
    axes.invert_yaxis()
    axes.set_title(run.title[0].upper() + run.title[1:], loc="left", fontweight="bold")
    axes.set_xlabel("mean absolute error, hours (less is better)\n" + served_against_baseline(run))


def served_against_baseline(run):
    """The bench's own verdict, in two short lines."""
    difference, interval = re.match(r"against the best baseline: (\S+ h).*?\((.*)\)", run.verdict).groups()
    return f"served − best baseline, on the same rows: {difference}\n({interval})"


def error_charts(runs):
    figure, axes = plt.subplots(1, 2, figsize=(11.2, 5.2))
    for ax, run in zip(axes, runs[:2]):
        draw_error(ax, run)
    figure.subplots_adjust(left=0.15, right=0.955, bottom=0.22, top=0.94, wspace=0.55)
    legend(figure)
    save(figure, "accuracy")

    figure, ax = plt.subplots(figsize=(7.2, 4.8))
    draw_error(ax, runs[2])
    figure.subplots_adjust(left=0.22, right=0.92, bottom=0.28, top=0.94)
    legend(figure, columns=2)
    save(figure, "accuracy-online")


def honesty_chart(runs):
    """What was promised beside what happened, and the Brier score of the chance of success."""
    figure, (said, brier) = plt.subplots(1, 2, figsize=(11.2, 4.8))
    labels = []
    for run in runs:
        labels.append(run.title.replace("known, ", "known,\n"))
        for name, promised, happened in (
            ("80 % interval", "0.800", run.values["served.coverage80"]),
            ("90 % interval", "0.900", run.values["served.coverage90"]),
            ("confidence", run.values["confidence.mean"], run.values["confidence.observed"]),
        ):
            y, ends = len(labels), [float(promised), float(happened)]
            labels.append(name)
            said.plot(ends, [y, y], color=STYLES["served"]["color"], linewidth=1.4, alpha=0.5)
            said.plot(ends[0], y, "o", color=STYLES["candidate"]["color"], markerfacecolor="white", markersize=6)
            dot(said, ends[1], y, "served", f"{promised} → {ends[1]:.3f}")
    grouped_labels(said, labels, {run.title.replace("known, ", "known,\n") for run in runs})
    said.set_title("How often it is right: said (○) and happened (◆)", loc="left", fontweight="bold")
    said.set_xlabel("share of the test rows")

    labels = []
    for run in runs[:2]:
        labels.append(run.title)
        for score, name, kind in sorted(chances(run), key=lambda row: (float(row[0]), row[1] != "served")):
            dot(brier, float(score), len(labels), kind, score)
            labels.append(name)
        labels.append(f"calibration error {run['served.ece']:.4f}")
    grouped_labels(brier, labels, {run.title for run in runs})
    brier.set_title("Chance of success", loc="left", fontweight="bold")
    brier.set_xlabel("Brier score (less is better)")
    figure.subplots_adjust(left=0.175, right=0.955, bottom=0.11, top=0.93, wspace=0.92)
    save(figure, "calibration")


def chances(run):
    """(Brier score, name, kind), once for those of ours that print the same: most share a classifier, baselines the rate."""
    rows = {}
    for score, name, kind in run.column("Brier"):
        same = name if kind == "published" else (run.ours[name]["AUC"], score)
        rows.setdefault(same, (score, "base rate of success" if kind == "baseline" else name, kind))
    return rows.values()


def grouped_labels(axes, labels, headings):
    axes.set_yticks(range(len(labels)), labels)
    for label in axes.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() in headings else "normal")
    axes.set_ylim(len(labels) - 0.4, -0.8)


def values(name):
    """The `name=value` lines of a text."""
    lines = (FOLDER / f"{name}.txt").read_text().splitlines()
    return dict(re.match(r"([^=]+)=(\S+)", line).groups() for line in lines if "=" in line)


def serving_chart():
    """Predictions a second and their latency, against connections, people and tenants."""
    run = values("serving")
    people = sorted({int(name.split("_")[1]) for name in run if re.match(r"people_\d+_connections", name)})
    connections = sorted({int(name.split("_")[3]) for name in run if re.match(r"people_\d+_connections", name)})
    tenants = sorted({int(name.split("_")[1]) for name in run if re.match(r"tenants_\d+_connections", name)})
    shades = dict(zip(people, ("#2f6690", "#b0413e", "#c9822b")))
    figure, (rates, latencies, many) = plt.subplots(1, 3, figsize=(9.6, 3.5))
    for axes, suffix in ((rates, "per_s"), (latencies, "p99_ms")):
        for count in people:
            for kind, line in (("", "-"), ("_alone", ":")):
                heights = [float(run[f"people_{count}_connections_{c}{kind}_{suffix}"]) for c in connections]
                axes.plot(range(len(connections)), heights, line, color=shades[count], marker="o", markersize=4)
        axes.set_xticks(range(len(connections)), connections)
        axes.set_xlabel("connections")
    rates.set_title("predictions a second (more is better)", loc="left")
    latencies.set_title("99th percentile, ms (less is better)", loc="left")
    latencies.set_yscale("log")
    latencies.yaxis.set_major_formatter("{x:g}")
    places = range(len(tenants))
    many.plot(places, [float(run[f"tenants_{t}_connections_16_per_s"]) for t in tenants], "-", color="#2f6690", marker="o", markersize=4)
    for place, count in zip(places, tenants):
        if f"tenants_{count}_node_mb" in run:
            many.annotate(f"{run[f'tenants_{count}_node_mb']} MB", (place, float(run[f"tenants_{count}_connections_16_per_s"])),
                          textcoords="offset points", xytext=(0, 6), ha="center")
    many.set_xticks(places, tenants)
    many.set_xlabel("tenants of 20 people in turn, 16 connections")
    many.set_title("the same for many tenants, memory", loc="left")
    for axes in (rates, latencies, many):
        axes.grid(axis="y")
        axes.margins(x=0.12, y=0.15)
        axes.set_ylim(bottom=None if axes is latencies else 0)
    marks = [plt.Line2D([], [], color=shades[count], marker="o", markersize=4, label=f"{count:,} people") for count in people]
    marks += [plt.Line2D([], [], color="#6b6b6b", linestyle=line, label=label)
              for line, label in (("-", "with five alternatives"), (":", "without"))]
    figure.legend(handles=marks, loc="lower center", ncol=5, frameon=False)
    figure.subplots_adjust(left=0.05, right=0.99, bottom=0.25, top=0.92, wspace=0.2)
    save(figure, "serving")


def training_chart():
    rows = [(name, float(rate), "") for name, rate in values("training-marks").items()]
    for name in ("training", "training-avx2"):
        run = values(name)
        rows.append((f"this trainer, {run['level']}", float(run["samples_per_s"]),
                     f", {float(run['share_of_peak']):.1%} of {float(run['peak_flops']) / 1e9:.0f} GFLOP/s"))
    rows.sort(key=lambda row: -row[1])
    figure, ax = plt.subplots(figsize=(7.6, 3.1))
    for y, (name, rate, peak) in enumerate(rows):
        ours = bool(peak)
        ax.barh(y, rate / 1e6, color="#b0413e" if ours else "#b9b9b9", height=0.66)
        ax.text(rate / 1e6 + 0.04, y, f"{rate / 1e6:.3f}{peak}", va="center")
    ax.set_yticks(range(len(rows)), [row[0] for row in rows])
    ax.invert_yaxis()
    ax.set_xlim(0, 5.4)
    ax.set_xlabel("million samples a second, one core (more is better)\ngrey: marks from another machine, whose sgemm peak is 165 GFLOP/s")
    figure.subplots_adjust(left=0.235, right=0.98, bottom=0.2, top=0.97)
    save(figure, "training")


def measure():
    """Runs the first line of every text again and keeps what it prints."""
    for path in sorted(FOLDER.glob("*.txt")):
        command = path.read_text().splitlines()[0]
        if command.startswith("$ "):
            print(command)
            printed = subprocess.run(
                shlex.split(command[2:]), cwd=FOLDER.parent.parent, check=True, stdout=subprocess.PIPE, text=True).stdout
            path.write_text(f"{command}\n{printed}")


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--measure"]):
        sys.exit(__doc__)
    if sys.argv[1:]:
        measure()
    runs = [Run(name) for name in SETTINGS]
    error_charts(runs)
    honesty_chart(runs)
    training_chart()
    serving_chart()
