"""One LSTM for all series: level-normalised log windows in, quantiles of the whole horizon out.

Trained on windows of every series of the run at once, with the pinball loss for every quantile
and a Poisson likelihood for the mean (Salinas et al. 2020, DeepAR; Wen et al. 2017, MQ-RNN).
TensorFlow is imported here and nowhere else.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.demand import adi, classify, cv2
from models_offline.models.base import Results, Series, Setup, long_enough
from models_offline.quantiles import LEVELS, Values
from models_offline.seasonality import Season, estimate
from models_offline.survivors import first_origin, least_demands

WINDOW = {"D": 56, "W": 39, "M": 24}
UNITS = 16
HIDDEN = 96
HIDDEN_LAYERS = 2
NETS = 2
EPOCHS = 10
WARM_EPOCHS = 2
"""Epochs where the weights of an earlier fit are gone on from, at a smaller rate."""
BATCH = 256
MAX_STEPS = 900_000
"""Most window periods an epoch sees: what bounds the training time, whatever the data's size."""
LEARNING_RATE = 2e-3
WARM_LEARNING_RATE = 1e-3
MEMORY = {"D": 0.08, "W": 0.15, "M": 0.3}
"""Weight of the newest period in the level, for regular demand; sparse demand remembers longer."""
SPARSE_MEMORY = 0.03
SHORTEST = 4
LARGEST_LOG = 4.0
"""Normalised quantities are cut at exp(4), about 55 times their level."""
OUTPUTS = 1 + len(LEVELS)
STATIC_FEATURES = 7
MOST_WEIGHT = 5.0
"""A window of even demand counts by how calm its series is, up to so many times the median: the
same error in logs is more, in units of the series' own noise, where demand is calm."""


class Lstm:
    """A global network, averaged over two seeds."""

    name: ClassVar[str] = "lstm"
    library: ClassVar[str] = "tensorflow"
    scope: ClassVar[Literal["series", "global"]] = "global"

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.failures: dict[Any, str] = {}
        self.notes: dict[Any, dict[str, float]] = {}
        self._series: list[Prepared] = []
        self._net: Net | None = None
        self.start = b""

    @classmethod
    def parameters(cls, setup: Setup) -> dict[str, Any]:
        return {
            "window": WINDOW[setup.frequency.code],
            "units": UNITS,
            "nets": NETS,
            "epochs": EPOCHS,
            "max_windows": max_windows(setup),
            "loss": "pinball of each quantile and Poisson mean",
        }

    def fit(self, history: pd.DataFrame) -> Self:
        self.look_at(history)
        inputs, targets, weights = training_windows(self._series, self.setup)
        self._net = train(inputs, targets, weights, self.setup, self.start)
        return self

    def look_at(self, history: pd.DataFrame) -> Self:
        """Forecasts will be of this history; what was learnt from another one stays."""
        found, self.failures = long_enough(history, SHORTEST)
        self._series = [prepare(series, self.setup) for series in found]
        return self

    def state(self) -> bytes:
        return b"" if self._net is None else self._net.state()

    def predict(self, horizon: int) -> pd.DataFrame:
        """At most the horizon of the setup: the network gives all its steps at once."""
        results = Results(self.setup)
        if self._net is None:
            return results.frame()
        inputs = Windows.stack([one.window(len(one.y)) for one in self._series])
        outputs = self._net.predict(inputs)
        for one, output in zip(self._series, outputs, strict=True):
            results.add(one.series, horizon, partial(one.restore, output[:, :horizon]))
        self.failures |= results.failures
        return results.frame()


@dataclass(frozen=True)
class Prepared:
    """A series without its season, with what is needed to cut windows out of it."""

    series: Series
    y: NDArray[np.float64]
    season: Season
    length: int
    levels: NDArray[np.float64]
    phases: NDArray[np.float64]
    even: bool
    """Demand comes often and in similar quantities (the class "smooth")."""

    def level(self, end: int) -> float:
        """Exponentially weighted mean quantity before `end`."""
        return float(self.levels[end - 1])

    def window(self, end: int) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """The window before `end` (log of quantity ÷ level), its static features, its level."""
        level = self.level(end)
        recent = self.y[max(0, end - self.length) : end]
        padded = np.concatenate([np.full(self.length - len(recent), level), recent])
        phase = 2 * np.pi * self.phases[end - 1]
        zeros = float((recent <= 0).mean())
        logs = normalise(padded, level)
        noise = float(np.abs(np.diff(logs[-len(recent) :])).mean()) if len(recent) > 1 else 0.0
        known = np.log1p(end) / 5
        # even demand looks the same in any unit; how a count goes on depends on its size
        size = 0.0 if self.even else np.log1p(level)
        static = [np.sin(phase), np.cos(phase), size, zeros, noise, float(logs.std()), known]
        return logs, np.array(static), level

    def calmness(self, end: int) -> float:
        """The level before `end`, in mean absolute changes from one period to the next."""
        level = self.level(end)
        return level / max(float(np.abs(np.diff(self.y)).mean()), 1e-3 * level)

    def target(self, end: int, horizon: int) -> NDArray[np.float64]:
        return normalise(self.y[end : end + horizon], self.level(end))

    def restore(self, output: NDArray[np.float64]) -> Values:
        """Units of issue from a network's output (1 + quantiles, horizon)."""
        level = self.level(len(self.y))
        quantiles = np.expm1(np.clip(output[1:], 0.0, LARGEST_LOG))
        # of even demand the median is the steadier point; of uneven demand it is not the mean
        point = quantiles[LEVELS.index(0.5)] if self.even else output[0]
        values = level * np.vstack([point, quantiles])
        return self.season.restore(values, len(self.y))


@dataclass(frozen=True)
class Windows:
    """Network inputs: steps (n, window, 1) and static features (n, 7)."""

    steps: NDArray[np.float32]
    static: NDArray[np.float32]

    @classmethod
    def stack(cls, windows: list[tuple[Any, Any, float]]) -> Windows:
        steps = np.array([window[0] for window in windows], dtype=np.float32)
        static = np.array([window[1] for window in windows], dtype=np.float32)
        return cls(steps[:, :, None], static)


def normalise(y: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """log(1 + quantity ÷ level), cut at LARGEST_LOG; a negative rest of a season counts as 0."""
    return np.minimum(np.log1p(np.maximum(y, 0.0) / level), LARGEST_LOG)


def prepare(series: Series, setup: Setup) -> Prepared:
    frequency = setup.frequency
    season_length = frequency.season_length
    enough = len(series.y) >= 2 * season_length
    season = estimate(series.y, season_length if enough else 1)
    y = season.remove(series.y)
    days = pd.DatetimeIndex(series.ds).dayofyear.to_numpy()
    levels = _levels(np.maximum(y, 0.0), MEMORY[frequency.code])
    return Prepared(
        series, y, season, WINDOW[frequency.code], levels, days / 366.0, is_even(series.y)
    )


def is_even(y: NDArray[np.float64]) -> bool:
    interval, variation = adi(y), cv2(y)
    if interval is None or variation is None:
        return False
    return classify(interval, variation) == "smooth"


def _levels(y: NDArray[np.float64], memory: float) -> NDArray[np.float64]:
    """The level after each period: an exponentially weighted mean, slower for sparse demand."""
    sparse = float((y <= 0).mean())
    alpha = memory * (1 - sparse) + SPARSE_MEMORY * sparse
    smooth = pd.Series(y).ewm(alpha=alpha, adjust=True).mean().to_numpy()
    return np.maximum(smooth, 1e-6 * max(1.0, float(y.max(initial=0.0))))


def training_windows(
    prepared: list[Prepared], setup: Setup
) -> tuple[Windows, NDArray[np.float32], NDArray[np.float32]]:
    """At most `max_windows`, drawn evenly over the series and then at random in time, with their
    targets and weights.

    Raises ValueError when no series is long enough for one.
    """
    least = least_demands((one.series.y for one in prepared), setup.horizon)
    ends = [_window_ends(one, setup.horizon, least) for one in prepared]
    available = sum(len(choice) for choice in ends)
    if available == 0:
        raise ValueError(f"no series is longer than the horizon of {setup.horizon} periods")
    share = min(1.0, max_windows(setup) / available)
    random = np.random.default_rng(setup.seed)
    windows, targets, calmness = [], [], []
    for one, choice in zip(prepared, ends, strict=True):
        count = int(share * len(choice) + random.random())
        for end in np.sort(random.permutation(choice)[:count]):
            windows.append(one.window(int(end)))
            targets.append(one.target(int(end), setup.horizon))
            calmness.append(one.calmness(int(end)) if one.even else np.nan)
    stacked, wanted = Windows.stack(windows), np.array(targets, dtype=np.float32)
    return stacked, wanted, _weigh(np.array(calmness, dtype=np.float32))


def _weigh(calmness: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weight of each window; 1 where there is no calmness, demand being uneven."""
    even = np.isfinite(calmness)
    if not even.any():
        return np.ones_like(calmness)
    relative = np.minimum(calmness / np.median(calmness[even]), MOST_WEIGHT)
    return np.where(even, (1 + relative) / 2, 1.0).astype(np.float32)


def max_windows(setup: Setup) -> int:
    return MAX_STEPS // WINDOW[setup.frequency.code]


def _window_ends(one: Prepared, horizon: int, least: int) -> NDArray[np.int_]:
    first = min(one.length // 2, max(SHORTEST, len(one.y) // 3))
    return np.arange(max(first, first_origin(one.series.y, least)), len(one.y) - horizon + 1)


class Net:
    """The trained networks, side by side in one Keras model."""

    def __init__(self, model: Any, horizon: int) -> None:
        self._model, self._horizon = model, horizon

    def state(self) -> bytes:
        """The weights, one array after the other."""
        return b"".join(part.astype("<f4").tobytes() for part in self._model.get_weights())

    def predict(self, windows: Windows) -> NDArray[np.float64]:
        """Mean (÷ level) and log quantiles, (n, 1 + quantiles, horizon), averaged over the nets."""
        raw = self._model.predict([windows.steps, windows.static], batch_size=BATCH, verbose=0)
        output = raw.reshape(len(raw), NETS, OUTPUTS, self._horizon).astype(float)
        output[:, :, 0] = np.exp(np.clip(output[:, :, 0], -LARGEST_LOG, LARGEST_LOG))
        return output.mean(axis=1)


def train(
    inputs: Windows,
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    setup: Setup,
    start: bytes = b"",
) -> Net:
    """The networks from a fresh, seeded start or from the weights of `start`; each learns as if
    alone."""
    keras = load()
    keras.utils.set_random_seed(setup.seed)
    model = _build(inputs.steps.shape[1], setup.horizon)
    if start:
        model.set_weights(_weights(start, model))
    epochs = WARM_EPOCHS if start else EPOCHS
    steps = epochs * -(-len(targets) // BATCH)
    first_rate = WARM_LEARNING_RATE if start else LEARNING_RATE
    rate = keras.optimizers.schedules.CosineDecay(first_rate, steps)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss=_loss(setup.horizon))
    model.fit(
        [inputs.steps, inputs.static],
        targets,
        sample_weight=weights,
        batch_size=BATCH,
        epochs=epochs,
        verbose=0,
    )
    return Net(model, setup.horizon)


def _weights(start: bytes, model: Any) -> list[NDArray[np.float32]]:
    shapes = [part.shape for part in model.get_weights()]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    parts = np.split(np.frombuffer(start, "<f4"), ends)
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _build(window: int, horizon: int) -> Any:
    keras = load()
    steps = keras.Input((window, 1))
    static = keras.Input((STATIC_FEATURES,))
    outputs = [_branch(steps, static, horizon) for _ in range(NETS)]
    return keras.Model([steps, static], keras.layers.Concatenate()(outputs))


def _branch(steps: Any, static: Any, horizon: int) -> Any:
    """An LSTM whose memory goes, with the window itself, through two hidden layers; beside them a
    linear path, which by itself is a pooled autoregression."""
    layers = load().layers
    centred = layers.Rescaling(1.0, offset=-float(np.log(2.0)))(steps)
    window = layers.Flatten()(centred)
    hidden = layers.Concatenate()([layers.LSTM(UNITS)(centred), window, static])
    for _ in range(HIDDEN_LAYERS):
        hidden = layers.Dense(HIDDEN, activation="relu")(hidden)
    # starts at the level itself, so that training only has to learn what differs from it
    start = np.repeat([0.0] + [np.log(2.0)] * len(LEVELS), horizon)
    own = layers.Dense(
        OUTPUTS * horizon,
        kernel_initializer="zeros",
        bias_initializer=lambda shape, dtype=None: start.astype("float32"),
    )(hidden)
    line = layers.Dense(horizon, kernel_initializer="zeros", use_bias=False)(window)
    return layers.Add()([own, layers.Concatenate()([line] * OUTPUTS)])


def _loss(horizon: int) -> Any:
    import tensorflow as tf

    levels = tf.constant(LEVELS)[None, None, :, None]

    def loss(target: Any, output: Any) -> Any:
        parts = tf.reshape(output, (-1, NETS, OUTPUTS, horizon))
        log_mean = tf.clip_by_value(parts[:, :, 0], -LARGEST_LOG, LARGEST_LOG)
        poisson = tf.exp(log_mean) - tf.math.expm1(target)[:, None] * log_mean
        error = target[:, None, None, :] - parts[:, :, 1:]
        pinball = tf.maximum(levels * error, (levels - 1.0) * error)
        return tf.reduce_mean(poisson, axis=(1, 2)) + tf.reduce_mean(
            tf.reduce_sum(pinball, axis=2), axis=(1, 2)
        )

    return loss


@lru_cache
def load() -> Any:
    """Keras on TensorFlow, one thread, deterministic. Raises ImportError saying what to install."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            "the LSTM needs TensorFlow: see models_offline/requirements.txt"
        ) from error
    tf.get_logger().setLevel("ERROR")  # retracing notes: each fit builds its own network
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    import keras

    return keras
