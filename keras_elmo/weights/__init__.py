"""Weight files of other ELMo implementations.

Each format is one table of names (`hdf5.TABLE`) and a thin reader and writer;
`mapping` applies any table strictly, in either direction.
"""
