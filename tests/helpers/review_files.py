"""A small data set with the layout of aclImdb."""

POSITIVE = ["a wonderful film<br /><br />I loved it", "great fun from start to end"]
NEGATIVE = ["a dreadful film", "boring and far too long"]


def write_reviews(root):
    """Writes ten reviews of either label for training, and as many to test."""
    for split in ("train", "test"):
        for label, stars, texts in (("pos", 7, POSITIVE), ("neg", 2, NEGATIVE)):
            folder = root / split / label
            folder.mkdir(parents=True)
            for number in range(10):
                path = folder / f"{number}_{stars}.txt"
                path.write_text(f"{texts[number % 2]} {number}", encoding="utf-8")
    (root / "train" / "unsup").mkdir()
    (root / "train" / "unsup" / "0_0.txt").write_text("no label")
    (root / "imdb.vocab").write_text("the")
    return root
