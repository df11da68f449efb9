"""Weight files of other ELMo implementations, and our own.

`open_weights` finds the format of whatever a user names. A module of `formats` says
what the tensors of a format mean, by a table of names in `tables`; one of `containers`
says how they are stored; `mapping` applies a table strictly, in either direction.
"""

# Help texts and errors say this of what `open_weights` takes.
WEIGHTS = (
    "a preset (its name, folder or address), the folder or archive of a TF-Hub module, "
    "of simple_elmo, of ELMoForManyLangs or of bilm-tf's training; or options.json and "
    "weights.hdf5"
)
