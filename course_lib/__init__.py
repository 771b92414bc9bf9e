"""The small, tested library behind the chapters: data, encoding, similarity, retrieval, evaluation."""
