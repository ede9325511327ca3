"""The toy experiments' runs, and how the page's tables put them into words."""

import numpy as np

MARGINS = ("A-Softmax, m = 1", "A-Softmax, m = 2", "A-Softmax, m = 3", "A-Softmax, m = 4")


class Runs:
    """The result's runs, by group and name, in the order of training."""

    def __init__(self, result):
        self.by_group = {}
        for run in result["runs"]:
            self.by_group.setdefault(run["group"], {}).setdefault(run["name"], []).append(run)

    def names(self, group):
        return list(self.by_group[group])

    def values(self, group, name, *keys):
        """One value a seed."""
        values = []
        for run in self.by_group[group][name]:
            for key in keys:
                run = run[key]  # noqa: PLW2901 (a walk down the record)
            values.append(run)
        return np.array(values)

    def cell(self, group, name, *keys, digits=1, unit="°"):
        """Mean ± standard deviation over the seeds."""
        return spread(self.values(group, name, *keys), digits, unit)

    def failed(self, group, name):
        """In how many seeds a class was lost."""
        return int((self.values(group, name, "classes_lost") > 0).sum())


def spread(values, digits=1, unit="°"):
    return f"{values.mean():.{digits}f} ± {values.std():.{digits}f}{unit}"


def percent(values):
    return spread(100 * values, 1, " %")


def spread_table(runs, group, names=None):
    lines = [
        "| head | within | within, training | nearest class | AFS | test accuracy | lost classes in |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in runs.names(group) if names is None else names:
        failed, count = runs.failed(group, name), len(runs.values(group, name, "seed"))
        lost = f"{failed} of {count} seeds" if failed else "–"
        lines.append(
            f"| {name} | {runs.cell(group, name, 'test', 'within_degrees')} "
            f"| {runs.cell(group, name, 'train', 'within_degrees')} "
            f"| {runs.cell(group, name, 'test', 'nearest_degrees', digits=0)} "
            f"| {runs.cell(group, name, 'test', 'angular_fisher_score', digits=3, unit='')} "
            f"| {percent(runs.values(group, name, 'test_accuracy'))} | {lost} |"
        )
    return lines
