#!/usr/bin/env python3
"""Backblas beside scikit-learn's MLPClassifier and MLPRegressor: the same splits, layers, epochs, settings and seeds.

    apt-get install python3-sklearn
    ./mvnw -q package -DskipTests
    python3 benchmarks/scikit_learn.py [--seeds 20] [--mnist DIR]     # DIR holds MNIST's four IDX files, gzipped

Each seed draws its own split (not of MNIST, which has one) and its own first weights. Both sides train with Adam, a rate of 0.001,
batches of 200, alpha = 0.0001, through all epochs. Scores are those on the samples held out: the share of right answers, or R².
The difference is ours less theirs, seed by seed, since both see the same split; the standard error is that of its mean.
"""

import argparse
import gzip
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "java/cli/src/main/resources/dev/backblas/cli/data"
HIDDEN = 100


def idx(directory, name):
    with gzip.open(directory / f"{name}.gz") as file:
        values = np.frombuffer(file.read(), np.uint8)
    return values[16:].reshape(-1, 784) if "images" in name else values[8:]


def tasks(mnist, seeds):
    """Name, kind, epochs, whether inputs are standardised, and for each seed the training and the held-out samples."""
    digits = np.loadtxt(DATA / "digits.csv.gz", delimiter=",", dtype=np.float32)
    boston = np.loadtxt(DATA / "boston.csv", delimiter=",", dtype=np.float32, skiprows=1)
    for name, kind, epochs, table in ("digits", "classifier", 50, digits), ("boston", "regressor", 200, boston):
        yield name, kind, epochs, True, {
            seed: train_test_split(table[:, :-1], table[:, -1], test_size=0.2, random_state=seed) for seed in seeds}
    if mnist:
        train, test = (idx(mnist, f"{part}-images-idx3-ubyte") / np.float32(255) for part in ("train", "t10k"))
        train_y, test_y = (idx(mnist, f"{part}-labels-idx1-ubyte").astype(np.float32) for part in ("train", "t10k"))
        yield "mnist", "classifier", 10, False, {seed: (train, test, train_y, test_y) for seed in seeds}


def scikit_learn(kind, epochs, standardize, seed, split):
    x, test_x, y, test_y = split
    settings = dict(hidden_layer_sizes=(HIDDEN,), max_iter=epochs, random_state=seed, tol=0, n_iter_no_change=epochs)
    scaler = StandardScaler() if standardize else FunctionTransformer()
    if kind == "classifier":
        model = make_pipeline(scaler, MLPClassifier(**settings))
    else:
        model = TransformedTargetRegressor(make_pipeline(scaler, MLPRegressor(**settings)), transformer=StandardScaler())
    start = time.perf_counter()
    model.fit(x, y)
    return time.perf_counter() - start, model.score(test_x, test_y)


def backblas(directory, kind, epochs, standardize, seed, split):
    for name, values in zip(("x", "test-x", "y", "test-y"), split):
        values.astype("<f4").tofile(directory / name)
    done = subprocess.run(
        ["java", "--add-modules", "jdk.incubator.vector", "-cp", f"{ROOT}/java/cli/target/lib/*",
         "dev.backblas.benchmarks.Accuracy", str(directory), str(split[0].shape[1]), kind, str(epochs), str(standardize).lower(),
         str(HIDDEN), str(seed)], check=True, stdout=subprocess.PIPE, text=True)
    return tuple(float(number) for number in done.stdout.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", type=pathlib.Path, help="the directory of MNIST's four files")
    parser.add_argument("--seeds", type=int, default=20, help="how many, 2 or more; 20 unless set")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)  # all epochs are wanted
    print(f"scikit-learn {sklearn.__version__}, {HIDDEN} hidden units, mean ± deviation of {options.seeds} seeds\n")
    print("| data | epochs | scikit-learn | Backblas | difference ± its standard error | scikit-learn, s | Backblas, s |")
    print("|---|---|---|---|---|---|---|")
    worse = False
    with tempfile.TemporaryDirectory() as directory:
        for name, kind, epochs, standardize, splits in tasks(options.mnist, range(1, options.seeds + 1)):
            theirs = [scikit_learn(kind, epochs, standardize, seed, split) for seed, split in splits.items()]
            ours = [backblas(pathlib.Path(directory), kind, epochs, standardize, seed, split) for seed, split in splits.items()]
            scores = [[score for _, score in side] for side in (theirs, ours)]
            times = [statistics.median(seconds for seconds, _ in side) for side in (theirs, ours)]
            means = [f"{statistics.mean(side):.4f} ± {statistics.stdev(side):.4f}" for side in scores]
            differences = [ours - theirs for theirs, ours in zip(*scores)]
            error = statistics.stdev(differences) / len(differences) ** 0.5
            print(f"| {name} | {epochs} | {means[0]} | {means[1]} | {statistics.mean(differences):+.4f} ± {error:.4f} | "
                  f"{times[0]:.2f} | {times[1]:.2f} |", flush=True)
            worse |= statistics.mean(scores[1]) < statistics.mean(scores[0]) - statistics.stdev(scores[0])
    sys.exit("Backblas is worse by more than the spread of scikit-learn" if worse else 0)


if __name__ == "__main__":
    main()
