"""The floor: FastAPI and Mangum, a constant answer, no store."""

from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel, Field


class Row(BaseModel):
    revolving_utilization: float = Field(alias="RevolvingUtilizationOfUnsecuredLines", ge=0)
    age: int = Field(ge=0, le=120)
    past_due_30_59: int = Field(alias="NumberOfTime30-59DaysPastDueNotWorse", ge=0)
    debt_ratio: float = Field(alias="DebtRatio", ge=0)
    monthly_income: float | None = Field(alias="MonthlyIncome", ge=0)
    open_credit_lines: int = Field(alias="NumberOfOpenCreditLinesAndLoans", ge=0)
    past_due_90: int = Field(alias="NumberOfTimes90DaysLate", ge=0)
    real_estate_loans: int = Field(alias="NumberRealEstateLoansOrLines", ge=0)
    past_due_60_89: int = Field(alias="NumberOfTime60-89DaysPastDueNotWorse", ge=0)
    dependents: int | None = Field(alias="NumberOfDependents", ge=0)


app = FastAPI()


@app.post("/predict")
async def predict(row: Row) -> dict[str, float]:
    return {"probability": 0.5}


handler = Mangum(app, lifespan="off")
