"""Runs the `keras-elmo` command: `python -m keras_elmo`."""

from keras_elmo.cli.main import main

if __name__ == "__main__":
    main()
