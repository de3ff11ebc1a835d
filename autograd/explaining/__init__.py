from autograd.explaining.explaining import Explanation, explain

__all__ = ["Explanation", "explain"]
