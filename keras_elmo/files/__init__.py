"""Files as such: fetched, unpacked, replaced, recorded.

Nothing here knows what ELMo is, or imports anything else of the package:

- `download`: a file from the web, fetched once; `fetch` is its transport, and
  `cache.cache_dir()` the folder to keep such files in.
- `archive`: a .zip or .tar.gz, unpacked only if nothing in it can do harm.
- `atomic`: a file or folder that is there whole or not at all.
- `strict_json`: JSON that says everything once.
- `run_record`: what a run began with, so that it goes on with the same.
- `locks`: one process at a time.
- `paths`: paths here and at addresses by one interface; `find_files`: the files that
  names and patterns stand for; `existing`: nothing is replaced unasked.
- `word_list`, `progress`, `units`, `optional`: lists of words, bars, numbers for
  people, libraries that only some need.
"""
