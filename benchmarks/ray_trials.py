"""Empty trials under Ray Tune; runs in an environment that has it (see `peers.ray_python`).

python ray_trials.py TRIALS FOLDER
"""

from __future__ import annotations

import json
import os
import sys
import time


def main(trials: int, folder: str) -> float:
    """Milliseconds a trial, from the first start to the last end."""
    # Its log files would cost it more: it is measured without, though we keep our journal.
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    import ray
    from ray import tune

    class Trainable(tune.Trainable):
        def setup(self, config):
            self.x = config["x"]

        def step(self):
            return {"score": self.x, "done": True}

        def reset_config(self, new_config):
            self.x = new_config["x"]
            return True

        def save_checkpoint(self, checkpoint_dir):
            """Nothing: an empty trial has nothing to keep."""

        def load_checkpoint(self, checkpoint):
            """Nothing."""

    times: list[float] = []

    class Clock(tune.Callback):
        def on_trial_start(self, *_: object, **__: object) -> None:
            times.append(time.time())

        on_trial_complete = on_trial_start

    ray.init(num_cpus=8, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    try:
        tune.Tuner(
            Trainable,
            param_space={"x": tune.uniform(0, 1)},
            tune_config=tune.TuneConfig(
                num_samples=trials, reuse_actors=True, max_concurrent_trials=8
            ),
            run_config=tune.RunConfig(
                storage_path=folder,
                verbose=0,
                callbacks=[Clock()],
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        ).fit()
    finally:
        ray.shutdown()
    if len(times) < 2 * trials:
        raise RuntimeError(f"only {len(times) // 2} of {trials} trials ran")
    return (max(times) - min(times)) / trials * 1e3


if __name__ == "__main__":
    print(json.dumps({"per_trial_ms": main(int(sys.argv[1]), sys.argv[2])}))
