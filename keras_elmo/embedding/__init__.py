from keras_elmo.embedding.elmo_embedding import ElmoEmbedding

__all__ = ["ElmoEmbedding"]
