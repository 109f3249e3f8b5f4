"""The two train functions of the demo: a small Keras network and a random forest.

Both are what a user would write: they take what they name, report the metric that trials are
compared by, and hand over the fitted model. They are deterministic for a given seed.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from eolab.studies import Reporter, choice, integer, loguniform, uniform
from eolab.training_data import Split, TrainingData

METRIC = "val_macro_f1"
ERROR = "val_rmse"
"""What trials are compared by where the label is a quantity; the lowest wins."""


def compared_by(train: TrainingData) -> tuple[str, Literal["maximize", "minimize"]]:
    """The metric of trials on such data and which of its ends is good."""
    return (METRIC, "maximize") if train.classes else (ERROR, "minimize")


def score(data: TrainingData, said: np.ndarray) -> dict[str, float]:
    """The metric of predictions: class codes, or values of a quantity."""
    from sklearn.metrics import f1_score, root_mean_squared_error

    if data.classes:
        return {METRIC: float(f1_score(data.y, said, average="macro"))}
    return {ERROR: float(root_mean_squared_error(data.y, said.reshape(-1)))}


def flatten(X: np.ndarray) -> np.ndarray:
    """Sequences of shape (n, t, f) as rows of shape (n, t * f), which scikit-learn wants."""
    return X.reshape(len(X), -1)


def train_forest(
    data: Split,
    reporter: Reporter,
    *,
    seed: int,
    trees: Annotated[int, integer(50, 300, step=50)] = 200,
    depth: Annotated[int, integer(4, 20)] = 12,
    features: Annotated[float, uniform(0.1, 0.8)] = 0.3,
) -> None:
    """A random forest on the flattened sequence; gaps are filled by the training median."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    if data.validation is None:
        raise ValueError("the demo compares on a validation part")
    forest = (
        RandomForestClassifier(class_weight="balanced_subsample")
        if data.train.classes
        else RandomForestRegressor()
    )
    forest.set_params(n_estimators=trees, max_depth=depth, max_features=features, random_state=seed)
    model = make_pipeline(
        FunctionTransformer(flatten),
        SimpleImputer(strategy="median", keep_empty_features=True),
        forest,
    )
    model.fit(data.train.X, data.train.y)
    reporter.report(step=1, **score(data.validation, model.predict(data.validation.X)))
    reporter.save_model(model)


def train_network(
    data: Split,
    reporter: Reporter,
    *,
    seed: int,
    lr: Annotated[float, loguniform(1e-3, 2e-2)] = 5e-3,
    filters: Annotated[int, choice([16, 32, 64])] = 32,
    dropout: Annotated[float, uniform(0.0, 0.5)] = 0.2,
    epochs: int = 40,
) -> None:
    """A temporal convolution over the sequence; an unknown value counts as the feature's mean."""
    import keras
    import tensorflow as tf

    if data.validation is None:
        raise ValueError("the demo compares on a validation part")
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    train, validation = data.train, data.validation
    steps, columns = _as_sequence(train.X).shape[1:]
    # A feature that is unknown everywhere, or constant, must not become NaN or infinity.
    flat = _as_sequence(train.X).reshape(-1, columns)
    known = np.isfinite(flat)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, flat, 0.0).sum(axis=0) / count
    variance = (np.where(known, flat - mean, 0.0) ** 2).sum(axis=0) / count
    variance = np.where(variance > 0, variance, 1.0)

    inputs = keras.Input(train.X.shape[1:], name="features")
    x = inputs if train.X.ndim == 3 else keras.layers.Reshape((1, columns))(inputs)
    x = keras.layers.Normalization(mean=mean, variance=variance, name="normalise")(x)
    x = keras.ops.nan_to_num(x)
    width = min(3, steps)
    for number in (1, 2):
        x = keras.layers.Conv1D(filters, width, padding="same", name=f"conv_{number}")(x)
        x = keras.layers.BatchNormalization(name=f"norm_{number}")(x)
        x = keras.layers.ReLU(name=f"relu_{number}")(x)
    # Position in the season matters (a late crop is not an early one), so no pooling over time.
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    weights = None
    if train.classes:
        outputs = keras.layers.Dense(len(train.classes), activation="softmax", name="classes")(x)
        counts = np.bincount(train.y, minlength=len(train.classes))
        share = len(train.y) / np.count_nonzero(counts)
        weights = {i: share / n for i, n in enumerate(counts) if n}
    else:
        # In units of the label, whose mean and spread the network need not learn.
        spread = float(train.y.std()) or 1.0
        outputs = keras.layers.Rescaling(spread, float(train.y.mean()), name="quantity")(
            keras.layers.Dense(1, name="standardised")(x)
        )
    model = keras.Model(inputs, outputs, name="temporal_convolution")
    loss = "sparse_categorical_crossentropy" if train.classes else "mean_squared_error"
    model.compile(keras.optimizers.Adam(lr), loss=loss)

    batch = max(16, min(256, len(train) // 16))
    # A call of fit costs as much as an epoch on so few samples, so it trains some at a time.
    for epoch in range(0, epochs, 8):
        model.fit(
            train.X,
            train.y,
            batch_size=batch,
            initial_epoch=epoch,
            epochs=min(epoch + 8, epochs),
            class_weight=weights,
            verbose=0,
        )
        said = np.asarray(model.predict_on_batch(validation.X))
        predicted = said.argmax(axis=1) if train.classes else said
        reporter.report(step=min(epoch + 8, epochs), **score(validation, predicted))
    reporter.save_model(model)


def _as_sequence(X: np.ndarray) -> np.ndarray:
    """X of shape (n, t, f) as it is; (n, f) as one step, (n, 1, f)."""
    return X if X.ndim == 3 else X[:, None, :]
