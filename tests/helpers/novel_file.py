"""A short text to search in, of sentences about different things."""

NOVEL = """\
My uncle lived in a small house near the river. Every morning he walked to the
village to buy bread. The road was long, and in winter it was covered with snow.
Nobody else ever came that way. "You should have a horse," I told him. He smiled at
me and said nothing.

One evening a stranger knocked at the door. She had lost her hat and her coat was
wet. "I have been waiting for an hour," she said. "The carriage never came to the
station." We made a fire and gave her some hot soup. We all ate our supper together
in the kitchen. The stranger told us about her journey over the mountains. Her
brother had gone to sea when he was twelve years old. He had written two letters in
all these years. She was furious with him, and she would not forgive him. My uncle
listened to her and filled his pipe.

It rained during the night and the wind was strong. I could hear the water running
down the roof. In the morning the garden was full of broken branches. The bridge had
been carried away by the river. No one could leave the house for three days. My
uncle taught the stranger to play chess. She beat him on the second day, and he was
proud of her. I read an old book about birds by the window. There was a picture of
an owl on every page.

On the fourth day the water began to fall. Two men from the village brought us flour
and eggs. They stared at the stranger and whispered to each other. "Is that the
captain's sister?" one of them asked. "The captain is looking for her in every
town." She turned pale and dropped her cup. Then she put her hands before her face
and wept. I had never seen a grown woman cry. My uncle asked the men to bring the
captain to us. The captain arrived before sunset on a black horse. He was a tall man
with a grey beard. They did not speak for a long time. At last she mocked him for
his beard and he grinned.
"""


def write_novel(path):
    """Writes some forty sentences, with the line breaks of a book."""
    path.write_text(NOVEL, encoding="utf-8")
    return path
