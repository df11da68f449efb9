"""Weight files of other ELMo implementations.

Each format is one table of names (`tables.HDF5`, for one) and a thin reader and writer;
`mapping` applies any table strictly, in either direction.
"""
