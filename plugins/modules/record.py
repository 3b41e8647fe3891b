DOCUMENTATION = """
module: record
short_description: stub
"""
