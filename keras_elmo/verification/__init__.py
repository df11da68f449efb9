"""Are these weights what they are said to be, and is this how they are meant to run?"""
