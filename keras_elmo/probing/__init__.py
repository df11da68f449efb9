"""What do the layers know? Small classifiers on top of them, on tagged text.

Each module reads one kind of data and scores every layer on it, as sections 5.3 and
5.4 of Peters et al. 2018 do.
"""
