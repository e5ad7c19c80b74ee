def run(tally, fwc):
    pass
